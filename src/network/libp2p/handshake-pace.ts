import { LRUCache } from 'lru-cache';
import type { RateLimit } from '../../lib/token-bucket.ts';

const MOST_PREFIXES = 4096;

/**
 * When the handshake of a connection from a network prefix may begin: a few at once, the others one after another. They
 * cost more than anything else a stranger can ask for, and a crowd that comes together would have a second of a
 * processor at once. Pure: it is told the time.
 */
export class HandshakePace {
  readonly #everyMs: number;
  readonly #aheadMs: number;
  /** When the one after the last would begin, were there no burst. */
  readonly #nextAtMs = new LRUCache<string, number>({ max: MOST_PREFIXES });

  constructor({ burst, perSecond }: RateLimit) {
    this.#everyMs = 1000 / perSecond;
    this.#aheadMs = burst * this.#everyMs;
  }

  /** How long this one waits; those that come after it wait longer. */
  delayMs(prefix: string, nowMs: number): number {
    const nextAtMs = Math.max(nowMs, this.#nextAtMs.get(prefix) ?? nowMs) + this.#everyMs;
    this.#nextAtMs.set(prefix, nextAtMs);
    return Math.max(0, Math.ceil(nextAtMs - this.#aheadMs - nowMs));
  }
}
