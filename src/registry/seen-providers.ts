import { LRUCache } from 'lru-cache';

/** How this node knows a provider, other than by an advert: the more, the later it is left out. */
export const TOUCH = { none: 0, met: 1, answered: 2, kept: 3 } as const;

export type Touch = (typeof TOUCH)[keyof typeof TOUCH];

/** Who was silent is not waited for again for so long, and twice as long with each time. */
const FIRST_SILENCE_MS = 30_000;
const LONGEST_SILENCE_MS = 60 * 60_000;
const MOST_DOUBLINGS = 10;

interface Silence {
  readonly times: number;
  readonly untilMs: number;
}

/**
 * With which providers this node has been in touch: connected, answered by, or served under a contract that they kept.
 * Those that kept contracts have room of their own, which nobody gets into by coming and going.
 */
export class SeenProviders {
  readonly #met: LRUCache<string, Touch>;
  readonly #kept: LRUCache<string, Touch>;
  readonly #silent: LRUCache<string, Silence>;

  constructor(mostOfEach: number) {
    this.#met = new LRUCache({ max: mostOfEach });
    this.#kept = new LRUCache({ max: mostOfEach });
    this.#silent = new LRUCache({ max: mostOfEach });
  }

  touchOf(peer: string): Touch {
    return this.#kept.get(peer) ?? this.#met.get(peer) ?? TOUCH.none;
  }

  note(peer: string, touch: Touch): void {
    if (touch === TOUCH.none) return;
    if (touch === TOUCH.kept) this.#kept.set(peer, touch);
    else if ((this.#met.get(peer) ?? TOUCH.none) <= touch) this.#met.set(peer, touch);
    if (touch >= TOUCH.answered) this.#silent.delete(peer);
  }

  /** It was waited for in vain. */
  wasSilent(peer: string, nowMs: number): void {
    const times = (this.#silent.get(peer)?.times ?? 0) + 1;
    const forMs = FIRST_SILENCE_MS * 2 ** Math.min(MOST_DOUBLINGS, times - 1);
    this.#silent.set(peer, { times, untilMs: nowMs + Math.min(LONGEST_SILENCE_MS, forMs) });
  }

  isWorthWaiting(peer: string, nowMs: number): boolean {
    const silence = this.#silent.get(peer);
    return silence === undefined || nowMs >= silence.untilMs;
  }
}
