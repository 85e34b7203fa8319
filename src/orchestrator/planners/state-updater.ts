import { type ContractRecord, canMoveContract, moveContract } from '../../domain/market/contract.ts';
import type { EndReason } from '../../domain/market/end-reason.ts';
import { type Execution, isLive, isTerminalObserved, observe } from '../../domain/market/execution.ts';
import type { JobEventDraft, JobEventType } from '../../domain/job/job-event.ts';
import type { JobReason } from '../../domain/job/job-reason.ts';
import { type JobState, moveJob } from '../../domain/job/job.ts';
import type { JobSnapshot, Plan, PlanAction } from '../../domain/job/plan.ts';
import { EMPTY_INDEX, type Search } from '../../domain/market/search.ts';
import { assert } from '../../lib/assert.ts';
import type { JobCommit } from '../ports.ts';

/** What turning a plan into a batch needs beyond the plan. */
export interface PlanContext {
  readonly now: number;
  /** The stored contract of an execution that the plan ends. */
  readonly contract: (contractId: string) => ContractRecord | undefined;
  readonly newRequestId: () => string;
  /** Takes a search slot; without one the search waits. */
  readonly reserveSearch: (requestId: string) => boolean;
  /** The proposal for an execution that is told to run; undefined when its negotiation is gone. */
  readonly propose: (execution: Execution) => ContractRecord | undefined;
}

const JOB_EVENTS: Readonly<Partial<Record<JobState, JobEventType>>> = {
  Queued: 'job.queued',
  Completed: 'job.completed',
  Failed: 'job.failed',
  Stopped: 'job.stopped',
};

/** The batch that carries a plan out on the store; undefined when the plan changes nothing there. */
export function planToCommit(plan: Plan, snapshot: JobSnapshot, context: PlanContext): JobCommit | undefined {
  const draft = new CommitDraft(snapshot, context);
  for (const action of plan.actions) draft.apply(action);
  return draft.finish(plan.revision);
}

class CommitDraft {
  readonly #context: PlanContext;
  readonly #executions = new Map<string, Execution>();
  readonly #changed = new Set<string>();
  readonly #contracts: ContractRecord[] = [];
  readonly #events: JobEventDraft[] = [];
  readonly #jobBefore: JobSnapshot['job'];
  readonly #searchBefore: Search | undefined;
  #job: JobSnapshot['job'];
  #search: Search | undefined;

  constructor(snapshot: JobSnapshot, context: PlanContext) {
    this.#context = context;
    this.#job = snapshot.job;
    this.#jobBefore = snapshot.job;
    this.#searchBefore = snapshot.search;
    for (const execution of snapshot.executions) this.#executions.set(execution.id, execution);
  }

  apply(action: PlanAction): void {
    switch (action.kind) {
      case 'StartSearch':
        this.#startSearch(action);
        return;
      case 'CreateExecution':
        this.#create(action.execution);
        return;
      case 'SetDesired':
        this.#setDesired(action);
        return;
      case 'MarkLost':
        this.#end(action.executionId, action.observed);
        return;
      case 'SetJobState':
        this.#setJobState(action.state, action.why);
        return;
      case 'RefuseBids':
        this.#refuseBids(action);
        return;
      case 'CloseSearch':
        this.#closeWaiting();
        return;
      case 'Requeue':
        // Nothing to write: the broker carries this out.
        return;
    }
  }

  finish(revision: number): JobCommit | undefined {
    const jobChanged = this.#job !== this.#jobBefore;
    if (!jobChanged && this.#changed.size === 0 && this.#search === undefined && this.#events.length === 0)
      return undefined;
    const executions = [...this.#changed].flatMap((id) => this.#executions.get(id) ?? []);
    return {
      jobId: this.#job.id,
      revision,
      ...(jobChanged ? { job: this.#job } : {}),
      executions,
      ...(this.#search === undefined ? {} : { search: this.#search }),
      contracts: this.#contracts,
      events: this.#events,
    };
  }

  /** New -> AskForBid, where the bid holds no lock yet: the question leaves when this is on disk. */
  #create(execution: Execution): void {
    const asks = execution.observed.state === 'New';
    const { now } = this.#context;
    this.#put(asks ? observe(execution, { state: 'AskForBid', askedAt: now }) : execution);
    this.#tell(asks ? 'lock.requested' : 'lock.acquired', execution);
  }

  #startSearch(action: Extract<PlanAction, { kind: 'StartSearch' }>): void {
    const { now, newRequestId, reserveSearch } = this.#context;
    const requestId = newRequestId();
    const open = reserveSearch(requestId);
    this.#search = {
      requestId,
      jobId: this.#job.id,
      round: action.round,
      state: open ? 'open' : 'waiting',
      slots: action.slots,
      exclude: action.exclude,
      ...(action.ruledOut === undefined ? {} : { ruledOut: action.ruledOut }),
      openedAt: now,
      fruitlessRounds: action.fruitlessRounds,
      fruitlessSince: action.fruitlessSince,
      seenAtLeast: 0,
      ...(action.roomMayCome === undefined ? {} : { roomMayCome: action.roomMayCome }),
      index: EMPTY_INDEX,
    };
    if (open) this.#events.push({ type: 'search.opened', at: now, data: { requestId, round: action.round } });
    else if (![...this.#executions.values()].some(isLive))
      this.#setJobState('Queued', { code: 'no-search-slot', data: {} });
  }

  #refuseBids({ providers, code }: Extract<PlanAction, { kind: 'RefuseBids' }>): void {
    const before = this.#searchBefore;
    if (before === undefined) return;
    const refused = providers.map((provider) => ({ provider, code }));
    this.#search = { ...before, index: { ...before.index, refused: [...before.index.refused, ...refused] } };
    for (const bid of refused) this.#events.push({ type: 'bid.refused', at: this.#context.now, ...bid });
  }

  /** One on the air is written down by the search dispatcher, with the bids that came. */
  #closeWaiting(): void {
    if (this.#searchBefore?.state !== 'waiting') return;
    this.#search = {
      ...this.#searchBefore,
      state: 'closed',
      closedAt: this.#context.now,
      closeReason: 'cancelled',
    };
  }

  #setDesired(action: Extract<PlanAction, { kind: 'SetDesired' }>): void {
    if (action.observed !== undefined) {
      this.#end(action.executionId, action.observed);
      return;
    }
    const execution = this.#known(action.executionId);
    if (action.desired !== 'Running') {
      this.#put({ ...execution, desired: action.desired });
      return;
    }
    const contract = this.#context.propose(execution);
    if (contract === undefined) {
      const why = { code: 'negotiation-ended', data: {} } as const;
      const end = { finishedAt: this.#context.now, exitReason: 'lost', why } as const;
      this.#end(execution.id, { state: 'Failed', end });
      return;
    }
    const proposed: Execution = { ...execution, desired: 'Running', contractId: contract.contractId };
    this.#put(proposed);
    this.#contracts.push(contract);
    this.#tell('contract.proposed', proposed, { data: { contractId: contract.contractId } });
  }

  #end(executionId: string, observed: Execution['observed']): void {
    const execution = this.#known(executionId);
    if (isTerminalObserved(execution.observed.state)) return;
    const ended: Execution = { ...observe(execution, observed), desired: 'Stopped' };
    this.#put(ended);
    if (observed.state !== 'Cancelled' && observed.state !== 'Failed') return;
    const { exitReason, why } = observed.end;
    const failure: JobEventType = exitReason === 'lost' ? 'execution.lost' : 'execution.failed';
    const type = observed.state === 'Cancelled' ? 'execution.cancelled' : failure;
    // A program that its provider ended in time is told by the provider; this is work of which nothing was told.
    const overdue = type === 'execution.failed' && exitReason === 'timeout';
    this.#tell(type, ended, { code: exitReason, why, ...(overdue ? { data: { overdue } } : {}) });
    this.#endContract(ended, why);
  }

  /** A proposal without an answer stays as it is until the answer is known. */
  #endContract(ended: Execution, why: EndReason): void {
    const contract = ended.contractId === undefined ? undefined : this.#context.contract(ended.contractId);
    if (contract === undefined || !canMoveContract(contract.state, 'TERMINATED')) return;
    this.#contracts.push(moveContract(contract, 'TERMINATED', this.#context.now, { why }));
    this.#tell('contract.terminated', ended, { data: { contractId: contract.contractId } });
  }

  #setJobState(state: JobState, why?: JobReason): void {
    const before = this.#job;
    this.#job = moveJob(before, state, this.#context.now, why);
    const type = before.state === state ? undefined : JOB_EVENTS[state];
    if (type === undefined) return;
    this.#events.push({ type, at: this.#context.now, ...(why === undefined ? {} : { why }) });
  }

  #tell(type: JobEventType, execution: Execution, more: Partial<JobEventDraft> = {}): void {
    this.#events.push({
      type,
      at: this.#context.now,
      executionId: execution.id,
      provider: execution.provider,
      ...more,
    });
  }

  #put(execution: Execution): void {
    this.#executions.set(execution.id, execution);
    this.#changed.add(execution.id);
  }

  #known(executionId: string): Execution {
    const execution = this.#executions.get(executionId);
    assert(execution !== undefined, `a plan names the unknown execution ${executionId}`);
    return execution;
  }
}
