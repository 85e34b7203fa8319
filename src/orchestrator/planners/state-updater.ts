import type { ContractRecord } from '../../domain/contract.ts';
import { type Execution, isTerminalObserved, observe } from '../../domain/execution.ts';
import type { JobEventDraft, JobEventType } from '../../domain/job-event.ts';
import { type JobState, moveJob } from '../../domain/job.ts';
import type { JobSnapshot, Plan, PlanAction } from '../../domain/plan.ts';
import { EMPTY_INDEX, type Search } from '../../domain/search.ts';
import type { JobCommit } from '../ports.ts';

/** What turning a plan into a batch needs beyond the plan. */
export interface PlanContext {
  readonly now: number;
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
  #job: JobSnapshot['job'];
  #search: Search | undefined;

  constructor(snapshot: JobSnapshot, context: PlanContext) {
    this.#context = context;
    this.#job = snapshot.job;
    this.#jobBefore = snapshot.job;
    for (const execution of snapshot.executions) this.#executions.set(execution.id, execution);
  }

  apply(action: PlanAction): void {
    switch (action.kind) {
      case 'StartSearch':
        this.#startSearch(action);
        return;
      case 'CreateExecution':
        this.#put(action.execution);
        if (action.execution.observed.state === 'AskForBidAccepted')
          this.#tell('lock.acquired', action.execution);
        return;
      case 'SetDesired':
        this.#setDesired(action);
        return;
      case 'MarkLost':
        this.#end(action.executionId, action.observed);
        return;
      case 'SetJobState':
        this.#setJobState(action.state, action.reason);
        return;
      case 'CloseSearch':
      case 'Requeue':
        // Nothing to write: the search desk and the broker carry these out.
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
      openedAt: now,
      fruitlessRounds: action.fruitlessRounds,
      fruitlessSince: action.fruitlessSince,
      seenAtLeast: 0,
      index: EMPTY_INDEX,
    };
    if (open) this.#events.push({ type: 'search.opened', at: now, data: { requestId, round: action.round } });
    else this.#setJobState('Queued', 'Waiting for a free search slot.');
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
    // Without its negotiation the execution is lost; the next evaluation sees that.
    if (contract === undefined) return;
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
    if (!('end' in observed)) return;
    const { exitReason, message } = observed.end;
    const type: JobEventType | undefined =
      observed.state === 'Cancelled'
        ? 'execution.cancelled'
        : exitReason === 'lost'
          ? 'execution.lost'
          : undefined;
    if (type !== undefined) this.#tell(type, ended, { code: exitReason, message });
  }

  #setJobState(state: JobState, reason?: string): void {
    const before = this.#job;
    this.#job = moveJob(before, state, this.#context.now, reason);
    const type = before.state === state ? undefined : JOB_EVENTS[state];
    if (type === undefined) return;
    this.#events.push({ type, at: this.#context.now, ...(reason === undefined ? {} : { message: reason }) });
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
    if (execution === undefined) throw new Error(`plan names an unknown execution ${executionId}`);
    return execution;
  }
}
