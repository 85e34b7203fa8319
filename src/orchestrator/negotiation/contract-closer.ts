import type { Decline } from '../../domain/market/bid.ts';
import type { ContractRecord, SignedContract } from '../../domain/market/contract.ts';
import type { Evidence } from '../../domain/market/evidence.ts';
import { declined, type NegotiationReason } from '../../domain/market/negotiation-reason.ts';
import type { Execution } from '../../domain/market/execution.ts';
import type { Job } from '../../domain/job/job.ts';
import { backoffMs } from '../../lib/backoff.ts';
import type { Chance } from '../../lib/chance.ts';
import { type Clock, sleep, within } from '../../lib/clock.ts';
import { CodedError, messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { JobLane } from '../job-lane.ts';
import type { OrchestratorLimits } from '../options.ts';
import type { CounterpartCheck, JobStore, Market, Negotiation } from '../ports.ts';
import { closureChange, type Resolution } from './closure-fact.ts';
import { invocationOf } from './terms.ts';

export interface ContractCloserNeeds {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly logger: Logger;
  readonly market: Pick<Market, 'askContract'>;
  readonly lane: JobLane;
  readonly store: Pick<JobStore, 'newestContract'>;
  readonly check: CounterpartCheck;
  readonly evaluate: (job: Job, trigger: 'exec-update') => void;
  /** Its provider could not be asked within the time in which it could have accepted. */
  readonly onUnknown: (contract: ContractRecord) => void;
  /** Aborted when the node stops. */
  readonly signal: AbortSignal;
}

/** The last thing before a proposal leaves: undefined, or why it does not. */
export type BeforeSending = () => Promise<NegotiationReason | undefined>;

const ASK_AGAIN = { firstMs: 200, longestMs: 2000, factor: 2 };

/**
 * Brings a proposal to its one outcome. The proposal is on disk before it leaves. When the answer does not come,
 * the provider is asked by contract id until it shows the accepted bytes or a signed never, or until the time in
 * which it could have accepted is over.
 */
export class ContractCloser {
  readonly #limits: Pick<OrchestratorLimits, 'acceptMarginMs'>;
  readonly #needs: ContractCloserNeeds;
  /** Contracts that are being closed, by id: each settles when its outcome is on disk, and never rejects. */
  readonly #closing = new Map<string, Promise<void>>();

  constructor(limits: Pick<OrchestratorLimits, 'acceptMarginMs'>, needs: ContractCloserNeeds) {
    this.#limits = limits;
    this.#needs = needs;
  }

  /** Sends a proposal for the first and only time, and sees it through, in the background. */
  propose(
    job: Job,
    execution: Execution,
    contract: ContractRecord,
    negotiation: Negotiation | undefined,
    beforeSending: BeforeSending = () => Promise.resolve(undefined),
  ): void {
    void this.#conclude(contract, async () => {
      const answer = await this.#propose(job, execution, contract, negotiation, beforeSending);
      // Nobody else can have closed a contract that is proposed here and now.
      await this.#record(execution, contract, answer ?? (await this.#ask(contract)));
    });
  }

  /**
   * Finds out what became of a proposal that may have left before, or waits for the outcome of one that is under
   * way. Resolves when that is on disk.
   */
  resolve(execution: Execution, contract: ContractRecord): Promise<void> {
    return this.#conclude(contract, async () => {
      const resolution = await this.#ask(contract);
      const stored = await this.#needs.store.newestContract(contract.contractId);
      await this.#record(execution, stored ?? contract, resolution);
    });
  }

  #conclude({ contractId }: ContractRecord, work: () => Promise<void>): Promise<void> {
    const underWay = this.#closing.get(contractId);
    if (underWay !== undefined) return underWay;
    const closing = work()
      .catch((error: unknown) => {
        if (this.#needs.signal.aborted) return;
        this.#needs.logger.error('a contract was not resolved', { contractId, reason: messageOf(error) });
      })
      .finally(() => this.#closing.delete(contractId));
    this.#closing.set(contractId, closing);
    return closing;
  }

  /** The answer to the proposal itself; undefined when it is not known. */
  async #propose(
    job: Job,
    execution: Execution,
    contract: ContractRecord,
    negotiation: Negotiation | undefined,
    beforeSending: BeforeSending,
  ): Promise<Resolution | undefined> {
    const refusal = await this.#refusalOf(execution.provider);
    if (refusal !== undefined) {
      negotiation?.close();
      return { kind: 'never', why: refusal };
    }
    if (negotiation?.open !== true) {
      return { kind: 'never', why: { code: 'proposal-not-sent', data: {} } };
    }
    const stopped = await beforeSending();
    if (stopped !== undefined) return { kind: 'never', why: stopped };
    try {
      const answer = await negotiation.propose(
        { terms: contract.terms, invocation: invocationOf(job, execution.partition) },
        contract.terms.value.acceptWithinMs,
      );
      if (isDecline(answer)) return { kind: 'never', why: declined(answer.value), decline: answer.value };
      return { kind: 'accepted', contract: answer };
    } catch (error) {
      this.#needs.logger.debug('no answer to a proposal', {
        contractId: contract.contractId,
        reason: messageOf(error),
      });
      return undefined;
    }
  }

  /** Why the provider may not take part. A check that fails is a no: nothing has left yet. */
  async #refusalOf(provider: string): Promise<NegotiationReason | undefined> {
    try {
      const verdict = await this.#needs.check.check(provider);
      return verdict.ok ? undefined : { code: 'provider-not-let-in', data: { text: verdict.reason } };
    } catch (error) {
      return { code: 'provider-not-checked', data: { text: messageOf(error) } };
    }
  }

  async #ask(contract: ContractRecord): Promise<Resolution> {
    const { clock, chance, signal } = this.#needs;
    const { acceptWithinMs } = contract.terms.value;
    const limitMs = acceptWithinMs + this.#limits.acceptMarginMs;
    // From when it was written down as proposed: what the terms call the time is for people. Clamped for records of a
    // time when that was the machine's clock.
    const leftMs = Math.min(limitMs, Math.max(0, contract.updatedAt + limitMs - clock.livedMs()));
    const deadlineMs = clock.monotonicMs() + leftMs;
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      try {
        return await this.#askOnce(contract, deadlineMs - clock.monotonicMs());
      } catch (error) {
        if (clock.monotonicMs() >= deadlineMs) {
          return { kind: 'unknown', why: { code: 'provider-not-asked', data: { text: messageOf(error) } } };
        }
      }
      const waitMs = Math.min(backoffMs(ASK_AGAIN, attempt, chance), deadlineMs - clock.monotonicMs());
      await sleep(clock, Math.max(1, waitMs), signal);
    }
  }

  /** Once also when the time is over already: a node that was down for long may still learn of a contract. */
  async #askOnce(contract: ContractRecord, remainingMs: number): Promise<Resolution> {
    const { provider, providerRecord } = contract.terms.value;
    const answer = await within(
      this.#needs.clock,
      Math.max(remainingMs, this.#limits.acceptMarginMs),
      this.#needs.market.askContract(contract.contractId, provider, providerRecord),
      () => undefined,
    );
    if (answer === undefined) {
      throw new CodedError(
        'NEGOTIATION_TIMEOUT',
        'The provider did not say whether it accepted the contract.',
      );
    }
    if (answer.kind === 'accepted') return answer;
    return { kind: 'never', why: { code: 'contract-never', data: { text: answer.never.value.reason } } };
  }

  async #record(execution: Execution, contract: ContractRecord, resolution: Resolution): Promise<void> {
    const { clock, lane, evaluate } = this.#needs;
    await lane.change(
      execution.jobId,
      (snapshot) => {
        const current = snapshot.executions.find((known) => known.id === execution.id);
        if (current === undefined) return undefined;
        const change = closureChange(current, contract, resolution, clock.livedMs());
        // What follows from the end of a negotiation writes nothing, as a rule.
        return change === undefined ? undefined : { ...change, prompt: true };
      },
      (after) => evaluate(after.job, 'exec-update'),
    );
    if (resolution.kind === 'unknown') this.#needs.onUnknown(contract);
  }
}

function isDecline(answer: SignedContract | Evidence<Decline>): answer is Evidence<Decline> {
  return 'type' in answer && answer.type === 'decline';
}
