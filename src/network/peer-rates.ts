import { LRUCache } from 'lru-cache';
import type { Clock } from '../lib/clock.ts';
import { type RateLimit, TokenBucket } from '../lib/token-bucket.ts';

/** How fast each peer may do something. Of too many, the one that was silent longest starts afresh. */
export class PeerRates {
  readonly #limit: RateLimit;
  readonly #clock: Clock;
  readonly #buckets: LRUCache<string, TokenBucket>;

  constructor(limit: RateLimit, mostPeers: number, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
    this.#buckets = new LRUCache({ max: mostPeers });
  }

  /** Counts one more of `peer`, or what weighs so much; false when it is one too many. */
  take(peer: string, weight = 1): boolean {
    let bucket = this.#buckets.get(peer);
    if (bucket === undefined) {
      bucket = new TokenBucket(this.#limit, this.#clock);
      this.#buckets.set(peer, bucket);
    }
    if (!bucket.hasToken()) return false;
    bucket.charge(weight);
    return true;
  }
}
