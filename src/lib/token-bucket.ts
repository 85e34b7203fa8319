import type { Clock } from './clock.ts';

/** A bucket that holds `burst` tokens at most and gains `perSecond`. */
export interface RateLimit {
  readonly burst: number;
  readonly perSecond: number;
}

/** A rate that may be exceeded for a moment. It starts full. */
export class TokenBucket {
  readonly #limit: RateLimit;
  readonly #clock: Clock;
  #tokens: number;
  #filledAtMs: number;

  constructor(limit: RateLimit, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
    this.#tokens = limit.burst;
    this.#filledAtMs = clock.monotonicMs();
  }

  hasToken(): boolean {
    const nowMs = this.#clock.monotonicMs();
    const gained = ((nowMs - this.#filledAtMs) / 1000) * this.#limit.perSecond;
    this.#tokens = Math.min(this.#limit.burst, this.#tokens + gained);
    this.#filledAtMs = nowMs;
    return this.#tokens >= 1;
  }

  /** After {@link TokenBucket.hasToken} said that there is one. */
  spend(): void {
    this.#tokens -= 1;
  }

  /** Takes tokens whether they are there or not. What is owed comes back first; it is never more than a burst. */
  charge(tokens: number): void {
    this.hasToken();
    this.#tokens = Math.max(this.#tokens - tokens, -this.#limit.burst);
  }

  /** How long until there is a token, if none is spent before; 0 when there is one. */
  waitMs(): number {
    if (this.hasToken()) return 0;
    return Math.ceil(((1 - this.#tokens) / this.#limit.perSecond) * 1000);
  }

  /** Spends a token; false when there is none. */
  take(): boolean {
    if (!this.hasToken()) return false;
    this.spend();
    return true;
  }
}
