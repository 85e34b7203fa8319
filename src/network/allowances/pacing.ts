import type { Payer } from './accounts.ts';
import type { AllowanceLimits } from './limits.ts';
import { PrefixBudgets } from './prefix-budgets.ts';

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
  readonly #strangers: PrefixBudgets;
  #ofKnownMs = 0;
  #knownAtMs: number;

  constructor(limits: Rates, nowMs: number) {
    this.#strangers = new PrefixBudgets(
      {
        perPrefix: limits.perPrefixBesideKnown,
        inTotal: limits.strangersBesideKnown,
        mostDebt: MOST_DEBT,
        rememberedPrefixes: limits.rememberedPrefixes,
      },
      nowMs,
    );
    this.#knownAtMs = nowMs;
  }

  worked(payer: Payer, workMs: number, nowMs: number): void {
    if (payer.known) {
      this.#ofKnownMs = this.#recentMs(nowMs) + workMs;
      this.#knownAtMs = nowMs;
    } else if (this.#isAtWork(nowMs)) {
      this.#strangers.charge(payer.prefix, workMs, nowMs);
    }
  }

  /** How long a peer is not read; 0 while no known peer is at work, and for those that are known. */
  pauseMs(payer: Payer, nowMs: number): number {
    if (payer.known || !this.#isAtWork(nowMs)) return 0;
    return this.#strangers.waitMs(payer.prefix, nowMs);
  }

  #isAtWork(nowMs: number): boolean {
    return this.#recentMs(nowMs) >= AT_WORK_MS;
  }

  #recentMs(nowMs: number): number {
    return this.#ofKnownMs * 2 ** ((this.#knownAtMs - nowMs) / HALF_LIFE_MS);
  }
}
