import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';

/** One may be an old message that somebody repeats; so many within this time are a clock that is wrong. */
const TELLING = 3;
const TELLING_WITHIN_MS = 60_000;
const TOLD_EVERY_MS = 10 * 60_000;

/** Messages of others that are refused for their time: says when a clock must be wrong, theirs or this machine's. */
export class StrayTimes {
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** The newest ones, the oldest first. */
  readonly #atMs: number[] = [];
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  refused(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#atMs.push(nowMs);
    if (this.#atMs.length > TELLING) this.#atMs.shift();
    const [first = nowMs] = this.#atMs;
    const tells = this.#atMs.length === TELLING && nowMs - first < TELLING_WITHIN_MS;
    if (!tells || nowMs - this.#toldAtMs < TOLD_EVERY_MS) return;
    this.#toldAtMs = nowMs;
    this.#logger.warn(
      'messages of other nodes are signed minutes from the time of this machine: while that is so, its new jobs get no bids and its offer is not heard. Set the clock',
    );
  }
}
