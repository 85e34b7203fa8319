import { LRUCache } from 'lru-cache';
import type { Payer } from './accounts.ts';
import type { AllowanceLimits } from './limits.ts';
import { WorkBudget } from './work-budget.ts';

type Rates = Pick<AllowanceLimits, 'perPrefixBesideKnown' | 'strangersBesideKnown' | 'rememberedPrefixes'>;

/** In which half of what known peers asked lately is forgotten. */
const HALF_LIFE_MS = 1000;
/** More than the control messages and pings of neighbours that want nothing. */
const AT_WORK_MS = 3;
/** In times the burst: what many do before they can be told to wait is paid for too. */
const MOST_DEBT = 20;

/**
 * While a known peer is at work with this node, strangers are read in small portions. Their allowances bound what they
 * take in the long run; this bounds what they take at once, which is what a known peer would wait for. Pure: it is told
 * the time.
 */
export class Pacing {
  readonly #limits: Rates;
  readonly #prefixes: LRUCache<string, WorkBudget>;
  readonly #all: WorkBudget;
  #ofKnownMs = 0;
  #knownAtMs: number;

  constructor(limits: Rates, nowMs: number) {
    this.#limits = limits;
    this.#prefixes = new LRUCache({ max: limits.rememberedPrefixes });
    this.#all = new WorkBudget(limits.strangersBesideKnown, MOST_DEBT, nowMs);
    this.#knownAtMs = nowMs;
  }

  worked(payer: Payer, workMs: number, nowMs: number): void {
    if (payer.known) {
      this.#ofKnownMs = this.#recentMs(nowMs) + workMs;
      this.#knownAtMs = nowMs;
    } else if (this.#isAtWork(nowMs)) {
      for (const budget of this.#budgetsOf(payer, nowMs)) budget.charge(workMs, nowMs);
    }
  }

  /** How long a peer is not read; 0 while no known peer is at work, and for those that are known. */
  pauseMs(payer: Payer, nowMs: number): number {
    if (payer.known || !this.#isAtWork(nowMs)) return 0;
    return Math.max(...this.#budgetsOf(payer, nowMs).map((budget) => budget.waitMs(nowMs)));
  }

  #isAtWork(nowMs: number): boolean {
    return this.#recentMs(nowMs) >= AT_WORK_MS;
  }

  #recentMs(nowMs: number): number {
    return this.#ofKnownMs * 2 ** ((this.#knownAtMs - nowMs) / HALF_LIFE_MS);
  }

  #budgetsOf({ prefix }: Payer, nowMs: number): readonly WorkBudget[] {
    if (prefix === undefined) return [this.#all];
    let budget = this.#prefixes.get(prefix);
    if (budget === undefined) {
      budget = new WorkBudget(this.#limits.perPrefixBesideKnown, MOST_DEBT, nowMs);
      this.#prefixes.set(prefix, budget);
    }
    return [budget, this.#all];
  }
}
