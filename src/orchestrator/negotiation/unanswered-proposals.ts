import type { ContractRecord } from '../../domain/market/contract.ts';
import { type BackoffOptions, backoffMs } from '../../lib/backoff.ts';
import type { Chance } from '../../lib/chance.ts';
import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { JobStore } from '../ports.ts';
import type { ContractCloser } from './contract-closer.ts';

export interface UnansweredNeeds {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly logger: Logger;
  readonly store: Pick<JobStore, 'snapshot' | 'contract' | 'proposedContracts'>;
  readonly closer: Pick<ContractCloser, 'resolve'>;
  /** Aborted when the node stops. */
  readonly signal: AbortSignal;
}

interface Unanswered {
  readonly contract: ContractRecord;
  tries: number;
  nextMs: number;
  asking: boolean;
}

/** Further ones are found again by the next start. */
const MOST_UNANSWERED = 1024;
const ASKED_AT_ONCE = 8;
const ASK_AGAIN: BackoffOptions = { firstMs: 5000, longestMs: 60 * 60 * 1000, factor: 2 };

/**
 * Proposals whose fate nobody needs to know any more, as their partition went elsewhere, and which are to be known all
 * the same: once both sides are up and connected, their copies of a contract agree. Each provider is asked when it comes
 * into reach, and now and then.
 */
export class UnansweredProposals {
  readonly #needs: UnansweredNeeds;
  readonly #unanswered = new Map<string, Unanswered>();
  #asking = 0;

  constructor(needs: UnansweredNeeds) {
    this.#needs = needs;
  }

  /** Takes up what was left from an earlier life. */
  async load(): Promise<void> {
    for (const contract of await this.#needs.store.proposedContracts(MOST_UNANSWERED)) this.add(contract);
  }

  add(contract: ContractRecord): void {
    const { contractId } = contract;
    if (this.#unanswered.has(contractId) || this.#unanswered.size >= MOST_UNANSWERED) return;
    const { clock, chance } = this.#needs;
    const nextMs = clock.monotonicMs() + backoffMs(ASK_AGAIN, 1, chance);
    this.#unanswered.set(contractId, { contract, tries: 0, nextMs, asking: false });
  }

  peerConnected(peer: string): void {
    const nowMs = this.#needs.clock.monotonicMs();
    for (const unanswered of this.#unanswered.values()) {
      if (unanswered.contract.terms.value.provider === peer) unanswered.nextMs = nowMs;
    }
  }

  /** Called now and then. */
  look(): void {
    const nowMs = this.#needs.clock.monotonicMs();
    for (const unanswered of this.#unanswered.values()) {
      if (this.#asking >= ASKED_AT_ONCE) return;
      if (unanswered.asking || unanswered.nextMs > nowMs) continue;
      void this.#ask(unanswered);
    }
  }

  async #ask(unanswered: Unanswered): Promise<void> {
    const { clock, chance, logger, signal } = this.#needs;
    const { contractId } = unanswered.contract;
    unanswered.asking = true;
    unanswered.tries += 1;
    unanswered.nextMs = clock.monotonicMs() + backoffMs(ASK_AGAIN, unanswered.tries + 1, chance);
    this.#asking += 1;
    try {
      if (await this.#isAnswered(unanswered.contract)) this.#unanswered.delete(contractId);
    } catch (error) {
      if (!signal.aborted) {
        logger.debug('the fate of a proposal is not known yet', { contractId, reason: messageOf(error) });
      }
    } finally {
      unanswered.asking = false;
      this.#asking -= 1;
    }
  }

  async #isAnswered({ contractId, jobId, executionId }: ContractRecord): Promise<boolean> {
    const { store, closer } = this.#needs;
    const snapshot = await store.snapshot(jobId);
    const execution = snapshot?.executions.find(({ id }) => id === executionId);
    const before = await store.contract(contractId);
    if (execution === undefined || before?.state !== 'PROPOSED') return true;
    await closer.resolve(execution, before);
    return (await store.contract(contractId))?.state !== 'PROPOSED';
  }
}
