import { LRUCache } from 'lru-cache';
import type { Clock } from '../../lib/clock.ts';
import { type RateLimit, TokenBucket } from '../../lib/token-bucket.ts';

/**
 * Adverts of providers that are not known yet, of each neighbour that hands them on, of each network prefix, and of all
 * together. Identities cost nothing, so a burst of new ones is believed no further than a network that starts all at
 * once needs; the members of a large one speak so seldom that two in three seconds are news at most.
 */
const NEWCOMERS_OF_NEIGHBOUR = 128;
const NEWCOMERS_OF_NEIGHBOUR_PER_SECOND = 2;
const NEWCOMERS_OF_PREFIX = 256;
const NEWCOMERS_OF_PREFIX_PER_SECOND = 4;
const NEWCOMERS_IN_TOTAL = 512;
const NEWCOMERS_IN_TOTAL_PER_SECOND = 8;

const OF_NEIGHBOUR: RateLimit = {
  burst: NEWCOMERS_OF_NEIGHBOUR,
  perSecond: NEWCOMERS_OF_NEIGHBOUR_PER_SECOND,
};
const OF_PREFIX: RateLimit = { burst: NEWCOMERS_OF_PREFIX, perSecond: NEWCOMERS_OF_PREFIX_PER_SECOND };
const IN_TOTAL: RateLimit = { burst: NEWCOMERS_IN_TOTAL, perSecond: NEWCOMERS_IN_TOTAL_PER_SECOND };

/** Beyond these the one that was silent longest starts afresh. */
const MOST_SOURCES = 256;

/** How fast unknown providers may become known. */
export class NewcomerRates {
  readonly #clock: Clock;
  readonly #total: TokenBucket;
  readonly #ofNeighbour = new LRUCache<string, TokenBucket>({ max: MOST_SOURCES });
  #ofPrefix: LRUCache<string, TokenBucket> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#total = new TokenBucket(IN_TOTAL, clock);
  }

  /** Whether one more may come; only {@link NewcomerRates.spend} takes it, once its signature holds. */
  hasRoom(neighbour: string, prefix: string | undefined): boolean {
    return this.#bucketsOf(neighbour, prefix).every((bucket) => bucket.hasToken());
  }

  spend(neighbour: string, prefix: string | undefined): void {
    for (const bucket of this.#bucketsOf(neighbour, prefix)) bucket.spend();
  }

  #bucketsOf(neighbour: string, prefix: string | undefined): readonly TokenBucket[] {
    const own = this.#bucketOf(this.#ofNeighbour, neighbour, OF_NEIGHBOUR);
    if (prefix === undefined) return [own, this.#total];
    this.#ofPrefix ??= new LRUCache({ max: MOST_SOURCES });
    return [own, this.#bucketOf(this.#ofPrefix, prefix, OF_PREFIX), this.#total];
  }

  #bucketOf(buckets: LRUCache<string, TokenBucket>, source: string, limit: RateLimit): TokenBucket {
    let bucket = buckets.get(source);
    if (bucket === undefined) {
      bucket = new TokenBucket(limit, this.#clock);
      buckets.set(source, bucket);
    }
    return bucket;
  }
}
