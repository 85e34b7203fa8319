import { LRUCache } from 'lru-cache';
import { WorkBudget } from './work-budget.ts';
import { Pacing } from './pacing.ts';
import { PrefixBudgets } from './prefix-budgets.ts';
import type { AllowanceLimits } from './limits.ts';

/** Who pays: a known peer on its own and, beyond what it is assured of, with the others; a stranger also out of what its prefix and all strangers have. */
export interface Payer {
  readonly peer: string;
  readonly known: boolean;
  readonly prefix: string | undefined;
}

interface Account {
  readonly budget: WorkBudget;
  /** Of a known peer: what it has even when all of them together have nothing left. */
  readonly assured: WorkBudget | undefined;
  /** What was paid before the work, and not found again in what the work took. */
  prepaidMs: number;
}

/** More is not forgiven of what is measured: the work it was paid for was done at another time. */
const MOST_PREPAID_MS = 20;

type Rates = Pick<
  AllowanceLimits,
  | 'perStranger'
  | 'perPrefix'
  | 'strangersInTotal'
  | 'perKnownPeer'
  | 'perPrefixBesideKnown'
  | 'strangersBesideKnown'
  | 'knownInTotal'
  | 'assuredPerKnownPeer'
  | 'handedOn'
  | 'mostDebt'
  | 'rememberedPeers'
  | 'rememberedPrefixes'
>;

/** What everybody has left of a processor's time. Pure: it is told the time. */
export class Accounts {
  readonly #limits: Rates;
  readonly #strangers: LRUCache<string, Account>;
  /** Apart, so that no number of strangers takes the place of one that is known. */
  readonly #known: LRUCache<string, Account>;
  readonly #sharedByStrangers: PrefixBudgets;
  readonly #allKnown: WorkBudget;
  readonly #handedOn: WorkBudget;
  readonly #pacing: Pacing;

  constructor(limits: Rates, nowMs: number) {
    this.#limits = limits;
    this.#strangers = new LRUCache({ max: limits.rememberedPeers });
    this.#known = new LRUCache({ max: limits.rememberedPeers });
    this.#sharedByStrangers = new PrefixBudgets({ ...limits, inTotal: limits.strangersInTotal }, nowMs);
    this.#allKnown = new WorkBudget(limits.knownInTotal, limits.mostDebt, nowMs);
    this.#handedOn = new WorkBudget(limits.handedOn, limits.mostDebt, nowMs);
    this.#pacing = new Pacing(limits, nowMs);
  }

  /** How long until something is left for the payer; 0 when something is. */
  waitMs(payer: Payer, nowMs: number): number {
    const { budget, assured } = this.#accountOf(payer, nowMs);
    const sharedMs =
      assured === undefined
        ? this.#sharedByStrangers.waitMs(payer.prefix, nowMs)
        : Math.min(assured.waitMs(nowMs), this.#allKnown.waitMs(nowMs));
    return Math.max(budget.waitMs(nowMs), sharedMs);
  }

  /** How long until something is left of what is the payer's alone. */
  ownWaitMs(payer: Payer, nowMs: number): number {
    return this.#accountOf(payer, nowMs).budget.waitMs(nowMs);
  }

  /** How long a stranger is read no more, as a known peer is at work; nothing of it is lost. */
  pauseMs(payer: Payer, nowMs: number): number {
    return this.#pacing.pauseMs(payer, nowMs);
  }

  /** Takes what is known to come, before it is done. */
  prepay(payer: Payer, workMs: number, nowMs: number): void {
    this.#charge(payer, workMs, nowMs);
    this.#forgive(payer, workMs, nowMs);
  }

  /** Takes what was measured, less what was paid for it before. */
  worked(payer: Payer, workMs: number, nowMs: number): void {
    this.#pacing.worked(payer, workMs, nowMs);
    const account = this.#accountOf(payer, nowMs);
    const paidMs = Math.min(account.prepaidMs, workMs);
    account.prepaidMs -= paidMs;
    this.#charge(payer, workMs - paidMs, nowMs);
  }

  /** The price of what was wrong: it costs its sender, and nobody who shares something with it. */
  fine(payer: Payer, workMs: number, nowMs: number): void {
    this.#accountOf(payer, nowMs).budget.charge(workMs, nowMs);
  }

  /** Something of others that a neighbour had to bring, as far as that has something left. */
  handedOn(payer: Payer, workMs: number, nowMs: number): void {
    if (this.#handedOn.waitMs(nowMs) > 0) return;
    this.#handedOn.charge(workMs, nowMs);
    this.#forgive(payer, workMs, nowMs);
  }

  #forgive(payer: Payer, workMs: number, nowMs: number): void {
    const account = this.#accountOf(payer, nowMs);
    account.prepaidMs = Math.min(MOST_PREPAID_MS, account.prepaidMs + workMs);
  }

  #charge(payer: Payer, workMs: number, nowMs: number): void {
    if (workMs <= 0) return;
    const { budget, assured } = this.#accountOf(payer, nowMs);
    budget.charge(workMs, nowMs);
    if (assured === undefined) {
      this.#sharedByStrangers.charge(payer.prefix, workMs, nowMs);
    } else {
      assured.charge(workMs, nowMs);
      this.#allKnown.charge(workMs, nowMs);
    }
  }

  #accountOf({ peer, known }: Payer, nowMs: number): Account {
    const accounts = known ? this.#known : this.#strangers;
    let account = accounts.get(peer);
    if (account === undefined) {
      const { perKnownPeer, perStranger, assuredPerKnownPeer, mostDebt } = this.#limits;
      const budget = new WorkBudget(known ? perKnownPeer : perStranger, mostDebt, nowMs);
      const assured = known ? new WorkBudget(assuredPerKnownPeer, mostDebt, nowMs) : undefined;
      account = { budget, assured, prepaidMs: 0 };
      accounts.set(peer, account);
    }
    return account;
  }
}
