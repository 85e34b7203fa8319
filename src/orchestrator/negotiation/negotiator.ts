import type { Bid } from '../../domain/bid.ts';
import type { ContractRecord } from '../../domain/contract.ts';
import type { Evidence, Notary } from '../../domain/evidence.ts';
import type { Execution } from '../../domain/execution.ts';
import type { Job } from '../../domain/job.ts';
import type { JobEventDraft } from '../../domain/job-event.ts';
import type { JobSnapshot } from '../../domain/plan.ts';
import { contentIdOf } from '../../lib/canonical.ts';
import type { Clock } from '../../lib/clock.ts';
import { codeOf, messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { JobChange, JobLane } from '../job-lane.ts';
import type { OrchestratorLimits } from '../options.ts';
import type { Market, Negotiation } from '../ports.ts';
import type { SearchDesk } from '../search/search-desk.ts';
import type { ContractCloser } from './contract-closer.ts';
import { failed, type LockAnswer, lockFact, readLockAnswer } from './lock-answer.ts';
import { buildTerms } from './terms.ts';

export interface NegotiatorNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly notary: Notary;
  readonly market: Market;
  readonly lane: JobLane;
  readonly desk: Pick<SearchDesk, 'negotiation'>;
  readonly closer: Pick<ContractCloser, 'propose'>;
  readonly evaluate: (job: Job, trigger: 'exec-update') => void;
}

/** Talks to the provider of an execution up to the contract: takes the lock, then sends the proposal. */
export class Negotiator {
  readonly #limits: OrchestratorLimits;
  readonly #needs: NegotiatorNeeds;
  /** Bids that were submitted again with a lock, by execution id, until they are proposed on. */
  readonly #locked = new Map<string, Evidence<Bid>>();

  constructor(limits: OrchestratorLimits, needs: NegotiatorNeeds) {
    this.#limits = limits;
    this.#needs = needs;
  }

  /** AskForBid -> AskForBidAccepted or AskForBidRejected, in the background. */
  requestLock(snapshot: JobSnapshot, execution: Execution): void {
    const { logger, evaluate } = this.#needs;
    const negotiation = this.#negotiation(execution);
    this.#takeLock(snapshot, execution, negotiation).catch((error: unknown) => {
      const reason = messageOf(error);
      logger.error('the answer to a job request was not written', { executionId: execution.id, reason });
      // With its negotiation the execution ends as well: nothing else would move it on.
      negotiation?.close();
      evaluate(snapshot.job, 'exec-update');
    });
  }

  /** The signed proposal, ready to be stored; undefined when the negotiation or the lock is gone. */
  draftProposal(snapshot: JobSnapshot, execution: Execution): ContractRecord | undefined {
    const { notary, clock, market } = this.#needs;
    const { observed } = execution;
    const bid = this.#locked.get(execution.id) ?? indexedBid(snapshot, execution);
    const open = this.#negotiation(execution)?.open === true;
    if (!open || bid === undefined || observed.state !== 'AskForBidAccepted') return undefined;
    const now = clock.nowMs();
    const terms = notary.sign(
      'contract-terms',
      buildTerms(snapshot.job, execution, bid.value, observed.lock, market.peerRecord(), this.#limits, now),
    );
    return {
      contractId: contentIdOf(terms.payload),
      executionId: execution.id,
      jobId: execution.jobId,
      state: 'PROPOSED',
      terms,
      updatedAt: now,
    };
  }

  /** Sends a proposal that is on disk, in the background. */
  propose(job: Job, execution: Execution, contract: ContractRecord): void {
    this.#locked.delete(execution.id);
    this.#needs.closer.propose(job, execution, contract, this.#negotiation(execution));
  }

  /** The execution is over. */
  forget(executionId: string): void {
    this.#locked.delete(executionId);
  }

  #negotiation({ jobId, requestId, provider }: Execution): Negotiation | undefined {
    return this.#needs.desk.negotiation(jobId, requestId, provider);
  }

  async #takeLock(
    snapshot: JobSnapshot,
    execution: Execution,
    negotiation: Negotiation | undefined,
  ): Promise<void> {
    const { clock } = this.#needs;
    const answer = await this.#ask(snapshot, execution, negotiation);
    if (answer.kind === 'locked') this.#locked.set(execution.id, answer.bid);
    const after = await this.#fact(execution, (current) => lockFact(current, answer, clock.nowMs()));
    if (after === undefined) this.#locked.delete(execution.id);
  }

  async #ask(
    snapshot: JobSnapshot,
    execution: Execution,
    negotiation: Negotiation | undefined,
  ): Promise<LockAnswer> {
    if (negotiation === undefined) return failed('NEGOTIATION_LOST', 'The negotiation is over.');
    const { requestId, bidId, id, attempt } = execution;
    try {
      const answer = await negotiation.requestLock(
        { requestId, bidId, executionId: id, attempt },
        snapshot.job.spec.timeouts.lockMs,
      );
      return readLockAnswer(answer, execution, indexedBid(snapshot, execution)?.value);
    } catch (error) {
      // A lock that is granted after all goes with the negotiation.
      if (codeOf(error) === 'NEGOTIATION_TIMEOUT') negotiation.close();
      return failed(codeOf(error) ?? 'INTERNAL', messageOf(error));
    }
  }

  #fact(
    execution: Execution,
    decide: (
      current: Execution,
    ) => { readonly execution: Execution; readonly event: JobEventDraft } | undefined,
  ): Promise<JobSnapshot | undefined> {
    const { lane, evaluate } = this.#needs;
    const change = (snapshot: JobSnapshot): JobChange | undefined => {
      const current = snapshot.executions.find((known) => known.id === execution.id);
      const outcome = current === undefined || current.desired === 'Stopped' ? undefined : decide(current);
      if (outcome === undefined) return undefined;
      const event = { ...outcome.event, executionId: execution.id, provider: execution.provider };
      return { executions: [outcome.execution], events: [event] };
    };
    return lane.change(execution.jobId, change, (after) => evaluate(after.job, 'exec-update'));
  }
}

function indexedBid({ search }: JobSnapshot, execution: Execution): Evidence<Bid> | undefined {
  const { bidId, provider } = execution;
  return search?.index.entries.find((entry) => entry.provider === provider && entry.bid.value.bidId === bidId)
    ?.bid;
}
