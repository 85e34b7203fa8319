import type { Bid } from '../../domain/market/bid.ts';
import type { ContractRecord } from '../../domain/market/contract.ts';
import type { Evidence, Notary } from '../../domain/market/evidence.ts';
import type { Execution } from '../../domain/market/execution.ts';
import type { Job } from '../../domain/job/job.ts';
import type { JobEventDraft } from '../../domain/job/job-event.ts';
import type { JobSnapshot } from '../../domain/job/plan.ts';
import { contentIdOf } from '../../lib/canonical.ts';
import type { EligibleComputeProviderData } from '../../domain/market/search.ts';
import type { Clock } from '../../lib/clock.ts';
import { codeOf, messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { JobChange, JobLane } from '../job-lane.ts';
import type { OrchestratorLimits } from '../options.ts';
import type { Market, Negotiation, PeerTable } from '../ports.ts';
import type { SearchDispatcher } from '../search/search-dispatcher.ts';
import type { BeforeSending, ContractCloser } from './contract-closer.ts';
import { failed, type LockAnswer, lockFact, readLockAnswer, whyNot } from './lock-answer.ts';
import { buildTerms } from './terms.ts';

export interface NegotiatorNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly notary: Notary;
  readonly market: Market;
  readonly lane: JobLane;
  readonly dispatcher: Pick<SearchDispatcher, 'negotiation'>;
  readonly closer: Pick<ContractCloser, 'propose'>;
  readonly peers?: Pick<PeerTable, 'acquaintance'>;
  readonly evaluate: (job: Job, trigger: 'exec-update') => void;
}

interface LockedBid {
  readonly bid: Evidence<Bid>;
  /** On the clock that does not jump: the lock was not granted before. */
  readonly sinceMs: number;
}

/** How long a provider that has kept no contract yet has for each of its answers, where others have bid. */
const UNKNOWN_ANSWER_MS = 1500;

/** A lock is renewed before the proposal when less of its time is left. */
const RENEWED_BELOW = 1 / 2;

/** Talks to the provider of an execution up to the contract: takes the lock, then sends the proposal. */
export class Negotiator {
  readonly #limits: OrchestratorLimits;
  readonly #needs: NegotiatorNeeds;
  /** Bids with the lock for an execution, by its id, until they are proposed on. */
  readonly #locked = new Map<string, LockedBid>();

  constructor(limits: OrchestratorLimits, needs: NegotiatorNeeds) {
    this.#limits = limits;
    this.#needs = needs;
  }

  /** AskForBid -> AskForBidAccepted or AskForBidRejected, in the background. */
  requestLock(snapshot: JobSnapshot, execution: Execution): void {
    const { logger, evaluate } = this.#needs;
    const negotiation = this.#negotiation(execution);
    this.#needs.peers?.acquaintance?.taken(execution.provider);
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
    const { contractMs } = snapshot.job.spec.timeouts;
    const held = this.#locked.get(execution.id) ?? this.#cameLocked(snapshot, execution);
    const open = this.#negotiation(execution)?.open === true;
    if (!open || held === undefined || observed.state !== 'AskForBidAccepted') return undefined;
    this.#locked.set(execution.id, held);
    const terms = notary.sign(
      'contract-terms',
      buildTerms(snapshot.job, execution, held.bid.value, observed.lock, market.peerRecord(), this.#limits, {
        acceptWithinMs: patienceWith(snapshot, execution, contractMs),
        proposedAt: clock.nowMs(),
      }),
    );
    return {
      contractId: contentIdOf(terms.payload),
      executionId: execution.id,
      jobId: execution.jobId,
      state: 'PROPOSED',
      terms,
      updatedAt: clock.livedMs(),
    };
  }

  /** Sends a proposal that is on disk, in the background. */
  propose(job: Job, execution: Execution, contract: ContractRecord): void {
    const held = this.#locked.get(execution.id);
    this.#locked.delete(execution.id);
    this.#needs.peers?.acquaintance?.taken(execution.provider);
    const negotiation = this.#negotiation(execution);
    this.#needs.closer.propose(job, execution, contract, negotiation, () =>
      this.#renewed(execution, held, negotiation),
    );
  }

  /** The execution is over. */
  forget(executionId: string): void {
    this.#locked.delete(executionId);
  }

  #negotiation({ jobId, requestId, provider }: Execution): Negotiation | undefined {
    return this.#needs.dispatcher.negotiation(jobId, requestId, provider);
  }

  async #takeLock(
    snapshot: JobSnapshot,
    execution: Execution,
    negotiation: Negotiation | undefined,
  ): Promise<void> {
    const { clock } = this.#needs;
    // Counted from here, so that the lock does not end earlier there than it does here.
    const sinceMs = clock.monotonicMs();
    const accepted = indexedBid(snapshot, execution)?.bid.value;
    const timeoutMs = patienceWith(snapshot, execution, snapshot.job.spec.timeouts.lockMs);
    const answer = await this.#ask(execution, accepted, negotiation, timeoutMs);
    const waited = { timeoutMs, elapsedMs: Math.round(clock.monotonicMs() - sinceMs) };
    if (answer.kind === 'locked') this.#locked.set(execution.id, { bid: answer.bid, sinceMs });
    const after = await this.#fact(execution, (current) =>
      lockFact(current, answer, waited, clock.livedMs()),
    );
    if (after === undefined) this.#locked.delete(execution.id);
  }

  /** A lock that is running out is asked for again: the provider gives it its whole time once more. */
  async #renewed(
    execution: Execution,
    held: LockedBid | undefined,
    negotiation: Negotiation | undefined,
  ): ReturnType<BeforeSending> {
    const lock = held?.bid.value.lock;
    if (held === undefined || lock === undefined) return undefined;
    const leftMs = held.sinceMs + lock.ttlMs - this.#needs.clock.monotonicMs();
    if (leftMs >= lock.ttlMs * RENEWED_BELOW) return undefined;
    // The terms say when the proposal was made: it may not be later than they allow for.
    const answer = await this.#ask(execution, held.bid.value, negotiation, this.#limits.acceptMarginMs);
    if (answer.kind !== 'locked') return whyNot(answer);
    const { lockId, version } = answer.bid.value.lock ?? {};
    return lockId === lock.lockId && version === lock.version
      ? undefined
      : { code: 'lock-changed', data: {} };
  }

  /** The bid of an execution that came with its lock. */
  #cameLocked(snapshot: JobSnapshot, execution: Execution): LockedBid | undefined {
    const { clock } = this.#needs;
    const entry = indexedBid(snapshot, execution);
    if (entry === undefined) return undefined;
    return { bid: entry.bid, sinceMs: clock.monotonicMs() - Math.max(0, clock.livedMs() - entry.receivedAt) };
  }

  async #ask(
    execution: Execution,
    accepted: Bid | undefined,
    negotiation: Negotiation | undefined,
    timeoutMs: number,
  ): Promise<LockAnswer> {
    if (negotiation === undefined) return failed({ code: 'negotiation-over', data: {} });
    const { requestId, bidId, id, attempt } = execution;
    try {
      const answer = await negotiation.requestLock({ requestId, bidId, executionId: id, attempt }, timeoutMs);
      return readLockAnswer(answer, execution, accepted);
    } catch (error) {
      // A lock that is granted after all goes with the negotiation.
      if (codeOf(error) === 'NEGOTIATION_TIMEOUT') negotiation.close();
      const data = { error: codeOf(error) ?? 'INTERNAL', text: messageOf(error) };
      return failed({ code: 'no-answer', data });
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

/** Where there are others, one that has kept no contract yet must not have the job wait for as long as it likes. */
function patienceWith(snapshot: JobSnapshot, execution: Execution, timeoutMs: number): number {
  const isLast = (snapshot.search?.index.entries.length ?? 0) <= 1;
  const isKnown = indexedBid(snapshot, execution)?.known === true;
  return isKnown || isLast ? timeoutMs : Math.min(timeoutMs, UNKNOWN_ANSWER_MS);
}

function indexedBid({ search }: JobSnapshot, execution: Execution): EligibleComputeProviderData | undefined {
  const { bidId, provider } = execution;
  return search?.index.entries.find(
    (entry) => entry.provider === provider && entry.bid.value.bidId === bidId,
  );
}
