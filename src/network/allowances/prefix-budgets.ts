import { LRUCache } from 'lru-cache';
import type { RateLimit } from '../../lib/token-bucket.ts';
import { WorkBudget } from './work-budget.ts';

export interface PrefixBudgetLimits {
  readonly perPrefix: RateLimit;
  readonly inTotal: RateLimit;
  /** In times the burst of each. */
  readonly mostDebt: number;
  /** Prefixes that are remembered: the one idle longest starts afresh. */
  readonly rememberedPrefixes: number;
}

/** What strangers share: one budget for each network prefix, and one for all of them. Pure: it is told the time. */
export class PrefixBudgets {
  readonly #limits: PrefixBudgetLimits;
  readonly #prefixes: LRUCache<string, WorkBudget>;
  readonly #all: WorkBudget;

  constructor(limits: PrefixBudgetLimits, nowMs: number) {
    this.#limits = limits;
    this.#prefixes = new LRUCache({ max: limits.rememberedPrefixes });
    this.#all = new WorkBudget(limits.inTotal, limits.mostDebt, nowMs);
  }

  charge(prefix: string | undefined, workMs: number, nowMs: number): void {
    for (const budget of this.#budgetsOf(prefix, nowMs)) budget.charge(workMs, nowMs);
  }

  /** How long until something is left of both; 0 when something is. */
  waitMs(prefix: string | undefined, nowMs: number): number {
    return Math.max(...this.#budgetsOf(prefix, nowMs).map((budget) => budget.waitMs(nowMs)));
  }

  /** Where the prefix is not known, that of all alone. */
  #budgetsOf(prefix: string | undefined, nowMs: number): readonly WorkBudget[] {
    if (prefix === undefined) return [this.#all];
    let budget = this.#prefixes.get(prefix);
    if (budget === undefined) {
      budget = new WorkBudget(this.#limits.perPrefix, this.#limits.mostDebt, nowMs);
      this.#prefixes.set(prefix, budget);
    }
    return [budget, this.#all];
  }
}
