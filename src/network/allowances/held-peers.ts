import { LRUCache } from 'lru-cache';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';

/** A peer that this node spared itself, and why. */
export interface HeldPeer {
  readonly peer: string;
  readonly prefix: string | undefined;
  /** The newest reason: a fault's code, or `OVER_ALLOWANCE`. */
  readonly code: string;
  readonly times: number;
  readonly atMs: number;
}

/** Peers that are kept for the operator to see; the one longest ago makes room. */
const MOST_HELD = 64;
/** Peers that are named in one line of the log. */
const MOST_NAMED = 4;

/** Who was held back or restrained of late: for the status, and for a line in the log now and then. */
export class HeldPeers {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #toldEveryMs: number;
  readonly #held: LRUCache<string, HeldPeer>;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(toldEveryMs: number, clock: Clock, logger: Logger) {
    this.#toldEveryMs = toldEveryMs;
    this.#clock = clock;
    this.#logger = logger;
    this.#held = new LRUCache({ max: MOST_HELD });
  }

  add(peer: string, prefix: string | undefined, code: string): void {
    const times = (this.#held.get(peer)?.times ?? 0) + 1;
    this.#held.set(peer, { peer, prefix, code, times, atMs: this.#clock.monotonicMs() });
    this.#tell();
  }

  /** Those of the last minute, the newest first. */
  recent(): readonly HeldPeer[] {
    const sinceMs = this.#clock.monotonicMs() - this.#toldEveryMs;
    return [...this.#held.values()].filter(({ atMs }) => atMs >= sinceMs);
  }

  #tell(): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#toldAtMs < this.#toldEveryMs) return;
    const recent = this.recent();
    this.#toldAtMs = nowMs;
    this.#logger.warn(
      'peers that cost this node too much are held back: nothing need be done. Where one of them is yours, name it in p2p.bootstrap; else refuse its network at the firewall if it goes on',
      {
        peers: recent.length,
        newest: recent.slice(0, MOST_NAMED).map(({ peer, prefix, code, times }) => ({
          peer,
          ...(prefix === undefined ? {} : { prefix }),
          code,
          times,
        })),
      },
    );
  }
}
