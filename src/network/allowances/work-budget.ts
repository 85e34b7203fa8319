import type { RateLimit } from '../../lib/token-bucket.ts';

/** An allowance in milliseconds of a processor. It starts full, may be overdrawn, and what is owed comes back first. Pure. */
export class WorkBudget {
  readonly #limit: RateLimit;
  readonly #mostDebtMs: number;
  #leftMs: number;
  #filledAtMs: number;

  /** `mostDebt` in times its burst. */
  constructor(limit: RateLimit, mostDebt: number, nowMs: number) {
    this.#limit = limit;
    this.#mostDebtMs = limit.burst * mostDebt;
    this.#leftMs = limit.burst;
    this.#filledAtMs = nowMs;
  }

  charge(workMs: number, nowMs: number): void {
    this.#fill(nowMs);
    this.#leftMs = Math.max(this.#leftMs - workMs, -this.#mostDebtMs);
  }

  /** How long until something is left, if nothing is charged before; 0 when something is. */
  waitMs(nowMs: number): number {
    this.#fill(nowMs);
    if (this.#leftMs > 0) return 0;
    return Math.floor((-this.#leftMs / this.#limit.perSecond) * 1000) + 1;
  }

  #fill(nowMs: number): void {
    const gainedMs = ((nowMs - this.#filledAtMs) / 1000) * this.#limit.perSecond;
    this.#leftMs = Math.min(this.#limit.burst, this.#leftMs + gainedMs);
    this.#filledAtMs = nowMs;
  }
}
