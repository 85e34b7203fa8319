import type { Multiaddr } from '@multiformats/multiaddr';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../lib/clock.ts';
import { type RateLimit, TokenBucket } from '../../lib/token-bucket.ts';
import { prefixOf } from './address-scope.ts';

/** Beyond these the prefix that was idle longest starts afresh; the total bounds what that can be abused for. */
const MAX_PREFIXES = 4096;

/** How many addresses that others chose this node dials: in total, and in the network of any one owner. */
export class DialBudget {
  readonly #clock: Clock;
  readonly #perPrefix: RateLimit;
  readonly #total: TokenBucket;
  readonly #prefixes = new LRUCache<string, TokenBucket>({ max: MAX_PREFIXES });

  constructor(total: RateLimit, perPrefix: RateLimit, clock: Clock) {
    this.#clock = clock;
    this.#perPrefix = perPrefix;
    this.#total = new TokenBucket(total, clock);
  }

  /** Takes one dial from both budgets, or from none. */
  take(address: Multiaddr): boolean {
    const prefix = prefixOf(address);
    const bucket = this.#prefixes.get(prefix) ?? new TokenBucket(this.#perPrefix, this.#clock);
    this.#prefixes.set(prefix, bucket);
    if (!bucket.hasToken() || !this.#total.hasToken()) return false;
    bucket.spend();
    this.#total.spend();
    return true;
  }
}
