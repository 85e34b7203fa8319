import type { ContractRecord } from '../../domain/contract.ts';
import { isTerminalJobState } from '../../domain/job.ts';
import type { JobSnapshot, Plan, PlanAction } from '../../domain/plan.ts';
import type { Clock } from '../../lib/clock.ts';
import { codeOf } from '../../lib/coded-error.ts';
import type { JobLane } from '../job-lane.ts';
import type { Negotiator } from '../negotiation/negotiator.ts';
import type { JobCommit } from '../ports.ts';
import type { SearchDesk } from '../search/search-desk.ts';
import { planToCommit } from './state-updater.ts';

export interface PlannerNeeds {
  readonly clock: Clock;
  readonly lane: JobLane;
  readonly desk: SearchDesk;
  readonly negotiator: Negotiator;
  readonly newRequestId: () => string;
  readonly requeue: (snapshot: JobSnapshot, action: Extract<PlanAction, { kind: 'Requeue' }>) => void;
  /** The job reached an end state. */
  readonly onFinished: (snapshot: JobSnapshot) => void;
}

/** First the store, then the network: what a plan says is on disk before anybody outside hears of it. */
export class Planner {
  readonly #needs: PlannerNeeds;

  constructor(needs: PlannerNeeds) {
    this.#needs = needs;
  }

  /** False when the job has changed since the plan was made: it is to be planned again. */
  async carryOut(plan: Plan, before: JobSnapshot, settledEvaluationId: string | undefined): Promise<boolean> {
    const proposals: ContractRecord[] = [];
    const reserved: string[] = [];
    const commit = planToCommit(plan, before, {
      now: this.#needs.clock.nowMs(),
      newRequestId: this.#needs.newRequestId,
      reserveSearch: (requestId) => {
        const got = this.#needs.desk.reserve(requestId);
        if (got) reserved.push(requestId);
        return got;
      },
      propose: (execution) => {
        const contract = this.#needs.negotiator.draftProposal(before, execution);
        if (contract !== undefined) proposals.push(contract);
        return contract;
      },
    });
    const after = commit === undefined ? before : await this.#commit(commit, settledEvaluationId);
    if (after === undefined) {
      for (const requestId of reserved) this.#needs.desk.giveBack(requestId);
      return false;
    }
    this.#act(plan, after, proposals);
    return true;
  }

  async #commit(
    commit: JobCommit,
    settledEvaluationId: string | undefined,
  ): Promise<JobSnapshot | undefined> {
    try {
      return await this.#needs.lane.commit({
        ...commit,
        ...(settledEvaluationId === undefined ? {} : { settledEvaluationId }),
      });
    } catch (error) {
      if (codeOf(error) === 'REVISION_CONFLICT') return undefined;
      throw error;
    }
  }

  /** Starts what the plan asks of the network. Nothing here is waited for: outcomes come back as facts. */
  #act(plan: Plan, after: JobSnapshot, proposals: readonly ContractRecord[]): void {
    const { desk, negotiator, requeue, onFinished } = this.#needs;
    for (const action of plan.actions) {
      if (action.kind === 'StartSearch' && after.search !== undefined) desk.start(after.job, after.search);
      else if (action.kind === 'CloseSearch') desk.release(after.job.id);
      else if (action.kind === 'Requeue') requeue(after, action);
      else if (action.kind === 'CreateExecution' && action.execution.observed.state === 'New') {
        void negotiator.requestLock(after, action.execution);
      } else if (action.kind === 'MarkLost') negotiator.forget(action.executionId);
    }
    for (const contract of proposals) {
      const execution = after.executions.find((known) => known.id === contract.executionId);
      if (execution !== undefined) void negotiator.propose(after, execution, contract);
    }
    if (isTerminalJobState(after.job.state)) {
      desk.release(after.job.id);
      onFinished(after);
    }
  }
}
