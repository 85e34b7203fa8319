import type { Decline } from '../../domain/bid.ts';
import { type ContractRecord, type SignedContract, moveContract } from '../../domain/contract.ts';
import type { Evidence } from '../../domain/evidence.ts';
import { type Execution, type Observed, observe } from '../../domain/execution.ts';
import type { Job } from '../../domain/job.ts';
import type { JobEventDraft } from '../../domain/job-event.ts';
import { backoffMs } from '../../lib/backoff.ts';
import { type Clock, sleep, within } from '../../lib/clock.ts';
import { CodedError, messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { JobLane } from '../job-lane.ts';
import type { OrchestratorLimits } from '../options.ts';
import type { CounterpartCheck, JobStore, Market, Negotiation } from '../ports.ts';
import { invocationOf } from './terms.ts';

export interface ContractCloserNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly market: Market;
  readonly lane: JobLane;
  readonly store: Pick<JobStore, 'contract'>;
  readonly check: CounterpartCheck;
  readonly evaluate: (job: Job, trigger: 'exec-update') => void;
  /** Aborted when the node stops. */
  readonly signal: AbortSignal;
}

type Resolution =
  | { readonly kind: 'accepted'; readonly contract: SignedContract }
  | { readonly kind: 'never'; readonly code: string; readonly message: string };

const ASK_AGAIN = { firstMs: 200, longestMs: 2000, factor: 2 };

/**
 * Brings a proposal to its one outcome. The proposal is on disk before it leaves. When the answer does not come,
 * the provider is asked by contract id until it shows the accepted bytes or a signed never, or until the time in
 * which it could have accepted is over.
 */
export class ContractCloser {
  readonly #limits: OrchestratorLimits;
  readonly #needs: ContractCloserNeeds;
  readonly #closing = new Map<string, Promise<void>>();

  constructor(limits: OrchestratorLimits, needs: ContractCloserNeeds) {
    this.#limits = limits;
    this.#needs = needs;
  }

  /** Settles when the outcome is on disk; a call for a contract that is being closed waits for that. */
  close(
    job: Job,
    execution: Execution,
    contract: ContractRecord,
    negotiation: Negotiation | undefined,
  ): Promise<void> {
    const { contractId } = contract;
    const under = this.#closing.get(contractId);
    if (under !== undefined) return under;
    const closing = this.#close(job, execution, contract, negotiation).finally(() => this.#closing.delete(contractId));
    this.#closing.set(contractId, closing);
    return closing;
  }

  async #close(
    job: Job,
    execution: Execution,
    contract: ContractRecord,
    negotiation: Negotiation | undefined,
  ): Promise<void> {
    try {
      const resolution =
        (await this.#propose(job, execution, contract, negotiation)) ?? (await this.#ask(contract));
      await this.#record(execution, contract, resolution);
    } catch (error) {
      if (this.#needs.signal.aborted) return;
      this.#needs.logger.error('a contract could not be resolved', {
        contractId: contract.contractId,
        reason: messageOf(error),
      });
    }
  }

  /** The answer to the proposal itself; undefined when it is not known. */
  async #propose(
    job: Job,
    execution: Execution,
    contract: ContractRecord,
    negotiation: Negotiation | undefined,
  ): Promise<Resolution | undefined> {
    const counterpart = await this.#needs.check.check(execution.provider);
    if (!counterpart.ok) {
      negotiation?.close();
      return { kind: 'never', code: 'NOT_VERIFIED', message: counterpart.reason };
    }
    if (negotiation?.open !== true) return undefined;
    try {
      const answer = await negotiation.propose(
        { terms: contract.terms, invocation: invocationOf(job, execution.partition) },
        contract.terms.value.acceptWithinMs,
      );
      if (isDecline(answer)) return { kind: 'never', code: answer.value.code, message: answer.value.message };
      return { kind: 'accepted', contract: answer };
    } catch (error) {
      this.#needs.logger.debug('no answer to a proposal', {
        contractId: contract.contractId,
        reason: messageOf(error),
      });
      return undefined;
    }
  }

  async #ask(contract: ContractRecord): Promise<Resolution> {
    const { clock, market, signal } = this.#needs;
    const { acceptWithinMs, proposedAt, provider, providerRecord } = contract.terms.value;
    // The deadline is clamped, so that a clock that jumped cannot make the wait endless.
    const limitMs = acceptWithinMs + this.#limits.acceptMarginMs;
    const leftMs = Math.min(limitMs, Math.max(0, proposedAt + limitMs - clock.nowMs()));
    const deadlineMs = clock.monotonicMs() + leftMs;
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      const remainingMs = deadlineMs - clock.monotonicMs();
      try {
        const answer = await within(
          clock,
          Math.max(remainingMs, this.#limits.acceptMarginMs),
          market.askContract(contract.contractId, provider, providerRecord),
          () => {
            throw new CodedError(
              'NEGOTIATION_TIMEOUT',
              'The provider did not say whether it accepted the contract.',
            );
          },
        );
        if (answer.kind === 'accepted') return answer;
        return { kind: 'never', code: 'NEVER', message: answer.never.value.reason };
      } catch (error) {
        if (clock.monotonicMs() >= deadlineMs) {
          return {
            kind: 'never',
            code: 'NEGOTIATION_TIMEOUT',
            message: `The provider could not be asked: ${messageOf(error)}`,
          };
        }
      }
      await sleep(
        clock,
        Math.min(backoffMs(ASK_AGAIN, attempt), Math.max(1, deadlineMs - clock.monotonicMs())),
        signal,
      );
    }
  }

  async #record(execution: Execution, contract: ContractRecord, resolution: Resolution): Promise<void> {
    const { clock, lane, store, evaluate } = this.#needs;
    const now = clock.nowMs();
    const stored = (await store.contract(contract.contractId)) ?? contract;
    const after = await lane.change(execution.jobId, (snapshot) => {
      const current = snapshot.executions.find((known) => known.id === execution.id);
      if (current === undefined || stored.state !== 'PROPOSED') return undefined;
      const { observed, event } = outcomeOf(contract, resolution, now);
      const stopped = current.desired === 'Stopped' || current.observed.state !== 'AskForBidAccepted';
      const record =
        resolution.kind === 'accepted'
          ? moveContract(stored, 'ACCEPTED', now, {
              providerSignature: resolution.contract.providerSignature,
            })
          : moveContract(stored, 'DECLINED', now, { reason: resolution.message });
      return {
        executions: stopped
          ? []
          : [
              {
                ...observe(current, observed),
                desired: resolution.kind === 'accepted' ? current.desired : 'Stopped',
                lastSeenAt: now,
              },
            ],
        contracts: [record],
        events: [{ ...event, executionId: execution.id, provider: execution.provider }],
      };
    });
    if (after !== undefined) evaluate(after.job, 'exec-update');
  }
}

function isDecline(answer: SignedContract | Evidence<Decline>): answer is Evidence<Decline> {
  return 'type' in answer && answer.type === 'decline';
}

function outcomeOf(
  contract: ContractRecord,
  resolution: Resolution,
  now: number,
): { readonly observed: Observed; readonly event: JobEventDraft } {
  const { contractId } = contract;
  if (resolution.kind === 'accepted') {
    return {
      observed: { state: 'BidAccepted', contractId },
      event: { type: 'contract.accepted', at: now, data: { contractId } },
    };
  }
  const { code, message } = resolution;
  return {
    observed: {
      state: 'BidRejected',
      end: { finishedAt: now, exitReason: 'denied', message: `${code}: ${message}` },
    },
    event: { type: 'contract.declined', at: now, code, message, data: { contractId } },
  };
}
