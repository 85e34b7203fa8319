import type { Clock } from '../../lib/clock.ts';

/**
 * Strangers are looked into one at a time, some time apart, so that what many of them ask at once takes this node's
 * attention in small pieces and never in one. What waits is bounded.
 */
export class StrangerTurns {
  readonly #apartMs: number;
  readonly #mostWaiting: number;
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  #isTaken = false;

  constructor(apartMs: number, mostWaiting: number, clock: Clock) {
    this.#apartMs = apartMs;
    this.#mostWaiting = mostWaiting;
    this.#clock = clock;
  }

  /** Whoever asks now need not wait. */
  get isFree(): boolean {
    return !this.#isTaken || this.#apartMs === 0;
  }

  get hasRoom(): boolean {
    return this.#waiting.length < this.#mostWaiting;
  }

  /** Resolves with a turn, first come first served; whoever has one gives it back, once. */
  take(): Promise<void> {
    if (!this.isFree) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#isTaken = true;
    return Promise.resolve();
  }

  /** The turn is over; the next one begins when the time between two has passed. */
  over(): void {
    if (this.#apartMs === 0) return;
    this.#clock.after(this.#apartMs, () => {
      const next = this.#waiting.shift();
      if (next === undefined) this.#isTaken = false;
      else next();
    });
  }
}
