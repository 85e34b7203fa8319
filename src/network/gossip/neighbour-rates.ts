import { LRUCache } from 'lru-cache';
import type { Clock } from '../../lib/clock.ts';
import { type RateLimit, TokenBucket } from '../../lib/token-bucket.ts';

/** Beyond these the neighbour that was silent longest starts afresh. */
const MOST_NEIGHBOURS = 1024;

/** How fast each neighbour may hand something on, whoever it is from. */
export class NeighbourRates {
  readonly #limit: RateLimit;
  readonly #clock: Clock;
  readonly #buckets = new LRUCache<string, TokenBucket>({ max: MOST_NEIGHBOURS });

  constructor(limit: RateLimit, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
  }

  /** Counts one more of `neighbour`; false when it is one too many. */
  take(neighbour: string): boolean {
    let bucket = this.#buckets.get(neighbour);
    if (bucket === undefined) {
      bucket = new TokenBucket(this.#limit, this.#clock);
      this.#buckets.set(neighbour, bucket);
    }
    return bucket.take();
  }
}
