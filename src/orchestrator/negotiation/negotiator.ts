import type { Bid, Decline } from '../../domain/bid.ts';
import type { ContractRecord } from '../../domain/contract.ts';
import type { Evidence, Notary } from '../../domain/evidence.ts';
import { type Execution, observe } from '../../domain/execution.ts';
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
import { buildTerms } from './terms.ts';

export interface NegotiatorNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly notary: Notary;
  readonly market: Market;
  readonly lane: JobLane;
  readonly desk: SearchDesk;
  readonly closer: ContractCloser;
  readonly evaluate: (job: JobSnapshot['job'], trigger: 'exec-update') => void;
}

/** Talks to the provider of an execution up to the contract: takes the lock, then sends the proposal. */
export class Negotiator {
  readonly #limits: OrchestratorLimits;
  readonly #needs: NegotiatorNeeds;
  /** Locks that were granted on a negotiation, by execution id. */
  readonly #locked = new Map<string, Evidence<Bid>>();

  constructor(limits: OrchestratorLimits, needs: NegotiatorNeeds) {
    this.#limits = limits;
    this.#needs = needs;
  }

  /** New -> AskForBid -> AskForBidAccepted or AskForBidRejected */
  async requestLock(snapshot: JobSnapshot, execution: Execution): Promise<void> {
    const { clock, desk } = this.#needs;
    const negotiation = desk.negotiation(execution.jobId, execution.requestId, execution.provider);
    if (negotiation === undefined) {
      this.#needs.evaluate(snapshot.job, 'exec-update');
      return;
    }
    const asked = this.#fact(execution, (current) => ({
      execution: observe(current, { state: 'AskForBid', askedAt: clock.nowMs() }),
      event: { type: 'lock.requested', at: clock.nowMs() },
    }));
    const answer = await this.#ask(negotiation, execution, snapshot.job.spec.timeouts.lockMs);
    await asked;
    if (answer.kind === 'locked') this.#locked.set(execution.id, answer.bid);
    const after = await this.#fact(execution, (current) => lockFact(current, answer, clock.nowMs()));
    if (after !== undefined) this.#needs.evaluate(after.job, 'exec-update');
  }

  /** The signed proposal, ready to be stored; undefined when the negotiation or the lock is gone. */
  draftProposal(snapshot: JobSnapshot, execution: Execution): ContractRecord | undefined {
    const { desk, notary, clock, market } = this.#needs;
    const { observed } = execution;
    const negotiation = desk.negotiation(execution.jobId, execution.requestId, execution.provider);
    const indexed = snapshot.search?.index.entries.find(
      (entry) => entry.provider === execution.provider,
    )?.bid;
    const bid = this.#locked.get(execution.id) ?? indexed;
    if (negotiation?.open !== true || bid === undefined || observed.state !== 'AskForBidAccepted')
      return undefined;
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

  /** Sends a proposal that is on disk. */
  propose(snapshot: JobSnapshot, execution: Execution, contract: ContractRecord): Promise<void> {
    this.#locked.delete(execution.id);
    const negotiation = this.#needs.desk.negotiation(
      execution.jobId,
      execution.requestId,
      execution.provider,
    );
    return this.#needs.closer.close(snapshot.job, execution, contract, negotiation);
  }

  forget(executionId: string): void {
    this.#locked.delete(executionId);
  }

  async #ask(negotiation: Negotiation, execution: Execution, timeoutMs: number): Promise<LockAnswer> {
    try {
      const answer = await negotiation.requestLock(
        {
          requestId: execution.requestId,
          bidId: execution.bidId,
          executionId: execution.id,
          attempt: execution.attempt,
        },
        timeoutMs,
      );
      if (isDecline(answer)) return { kind: 'declined', decline: answer.value };
      return answer.value.lock === undefined
        ? { kind: 'failed', code: 'LOCK_MISSING', message: 'The provider answered without a lock.' }
        : { kind: 'locked', bid: answer };
    } catch (error) {
      if (codeOf(error) === 'NEGOTIATION_TIMEOUT') negotiation.close();
      return { kind: 'failed', code: codeOf(error) ?? 'INTERNAL', message: messageOf(error) };
    }
  }

  #fact(
    execution: Execution,
    decide: (
      current: Execution,
    ) => { readonly execution: Execution; readonly event: JobEventDraft } | undefined,
  ): Promise<JobSnapshot | undefined> {
    return this.#needs.lane.change(execution.jobId, (snapshot): JobChange | undefined => {
      const current = snapshot.executions.find((known) => known.id === execution.id);
      const outcome = current === undefined || current.desired === 'Stopped' ? undefined : decide(current);
      if (outcome === undefined) return undefined;
      const event = { ...outcome.event, executionId: execution.id, provider: execution.provider };
      return { executions: [outcome.execution], events: [event] };
    });
  }
}

type LockAnswer =
  | { readonly kind: 'locked'; readonly bid: Evidence<Bid> }
  | { readonly kind: 'declined'; readonly decline: Decline }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

function isDecline(answer: Evidence<Bid> | Evidence<Decline>): answer is Evidence<Decline> {
  return answer.type === 'decline';
}

function lockFact(
  current: Execution,
  answer: LockAnswer,
  now: number,
): { readonly execution: Execution; readonly event: JobEventDraft } | undefined {
  if (current.observed.state !== 'AskForBid') return undefined;
  if (answer.kind === 'locked' && answer.bid.value.lock !== undefined) {
    return {
      execution: observe(current, { state: 'AskForBidAccepted', lock: answer.bid.value.lock }),
      event: { type: 'lock.acquired', at: now },
    };
  }
  const refusal =
    answer.kind === 'declined'
      ? answer.decline
      : { code: answer.kind === 'failed' ? answer.code : 'INTERNAL', message: '' };
  const message = answer.kind === 'failed' ? answer.message : refusal.message;
  const end = { finishedAt: now, exitReason: 'denied' as const, message: `${refusal.code}: ${message}` };
  return {
    execution: { ...observe(current, { state: 'AskForBidRejected', end }), desired: 'Stopped' },
    event: {
      type: answer.kind === 'declined' ? 'lock.declined' : 'lock.timeout',
      at: now,
      code: refusal.code,
      message,
    },
  };
}
