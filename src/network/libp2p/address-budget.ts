import type { Multiaddr } from '@multiformats/multiaddr';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../lib/clock.ts';
import { type RateLimit, TokenBucket } from '../../lib/token-bucket.ts';
import { prefixOf } from './address-scope.ts';

/** Beyond these the prefix that was idle longest starts afresh; the total bounds what that can be abused for. */
const MAX_PREFIXES = 4096;

/** How many connections there are with addresses that others chose: in total, and with the network of any one owner. */
export class AddressBudget {
  readonly #clock: Clock;
  readonly #perPrefix: RateLimit;
  readonly #total: TokenBucket;
  readonly #prefixes = new LRUCache<string, TokenBucket>({ max: MAX_PREFIXES });

  constructor(total: RateLimit, perPrefix: RateLimit, clock: Clock) {
    this.#clock = clock;
    this.#perPrefix = perPrefix;
    this.#total = new TokenBucket(total, clock);
  }

  /** Takes one connection from both budgets, or from none. */
  take(address: Multiaddr): boolean {
    const bucket = this.#bucketOf(address);
    if (!bucket.hasToken() || !this.#total.hasToken()) return false;
    bucket.spend();
    this.#total.spend();
    return true;
  }

  /** Counts against the network of the owner as so many connections, and may leave it in debt. */
  charge(address: Multiaddr, connections: number): void {
    this.#bucketOf(address).charge(connections);
  }

  #bucketOf(address: Multiaddr): TokenBucket {
    const prefix = prefixOf(address);
    const bucket = this.#prefixes.get(prefix) ?? new TokenBucket(this.#perPrefix, this.#clock);
    this.#prefixes.set(prefix, bucket);
    return bucket;
  }
}
