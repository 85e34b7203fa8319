import type { ContractRecord } from '../../domain/market/contract.ts';
import type { EvaluationTrigger } from '../../domain/job/evaluation.ts';
import { isTerminalJobState } from '../../domain/job/job.ts';
import type { JobSnapshot, Plan } from '../../domain/job/plan.ts';
import type { Clock } from '../../lib/clock.ts';
import { codeOf } from '../../lib/coded-error.ts';
import type { JobRecords } from '../job-lane.ts';
import type { Negotiator } from '../negotiation/negotiator.ts';
import type { JobCommit } from '../ports.ts';
import { exclusionsAfter } from '../schedulers/ruled-out.ts';
import type { RoomWatch } from '../search/room-watch.ts';
import type { SearchDispatcher } from '../search/search-dispatcher.ts';
import { planToCommit } from './state-updater.ts';

export interface PlannerNeeds {
  readonly clock: Clock;
  readonly dispatcher: Pick<SearchDispatcher, 'reserve' | 'giveBack' | 'start' | 'release'>;
  readonly negotiator: Pick<Negotiator, 'draftProposal' | 'requestLock' | 'propose' | 'forget'>;
  readonly room: Pick<RoomWatch, 'wait' | 'leave'>;
  readonly newRequestId: () => string;
  readonly evaluate: (job: JobSnapshot['job'], trigger: EvaluationTrigger, waitUntil?: number) => void;
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
  async carryOut(
    plan: Plan,
    before: JobSnapshot,
    store: Pick<JobRecords, 'begin' | 'newestContract' | 'settled'>,
  ): Promise<boolean> {
    const ending = await contractsToEnd(plan, store);
    const proposals: ContractRecord[] = [];
    const reserved: string[] = [];
    let after: JobSnapshot | undefined;
    try {
      const commit = planToCommit(plan, before, {
        now: this.#needs.clock.livedMs(),
        contract: (contractId) => ending.get(contractId),
        newRequestId: this.#needs.newRequestId,
        reserveSearch: (requestId) => {
          const got = this.#needs.dispatcher.reserve(requestId);
          if (got) reserved.push(requestId);
          return got;
        },
        propose: (execution) => {
          const contract = this.#needs.negotiator.draftProposal(before, execution);
          if (contract !== undefined) proposals.push(contract);
          return contract;
        },
      });
      if (commit === undefined) {
        if (plan.actions.length > 0) await store.settled(plan.jobId);
        after = before;
      } else after = await commitPlan(commit, store);
    } finally {
      if (after === undefined) for (const requestId of reserved) this.#needs.dispatcher.giveBack(requestId);
    }
    if (after === undefined) return false;
    this.#act(plan, after, proposals);
    return true;
  }

  /** Starts what the plan asks of the network. Nothing here is waited for: outcomes come back as facts. */
  #act(plan: Plan, after: JobSnapshot, proposals: readonly ContractRecord[]): void {
    const { dispatcher, room, negotiator, evaluate, onFinished } = this.#needs;
    const proposed = new Map(proposals.map((contract) => [contract.executionId, contract]));
    const executions = new Map(after.executions.map((execution) => [execution.id, execution]));
    for (const action of plan.actions) {
      switch (action.kind) {
        case 'StartSearch':
          room.leave(after.job.id);
          if (after.search !== undefined) dispatcher.start(after.job, after.search);
          break;
        case 'CloseSearch':
          dispatcher.release(after.job.id);
          break;
        case 'CreateExecution':
          if (action.execution.observed.state === 'New')
            negotiator.requestLock(after, executions.get(action.execution.id) ?? action.execution);
          break;
        case 'SetDesired': {
          const execution = executions.get(action.executionId);
          const contract = proposed.get(action.executionId);
          if (action.desired === 'Stopped') negotiator.forget(action.executionId);
          else if (contract !== undefined && execution !== undefined)
            negotiator.propose(after.job, execution, contract);
          // Its negotiation went away while the plan was made: the partition is to be placed again.
          else evaluate(after.job, 'exec-failure');
          break;
        }
        case 'MarkLost':
          negotiator.forget(action.executionId);
          break;
        case 'Requeue':
          evaluate(after.job, action.trigger, action.waitUntil);
          if (action.trigger === 'job-queue') waitForRoom(room, after, this.#needs.clock.livedMs());
          break;
        case 'RefuseBids':
        case 'SetJobState':
          break;
      }
    }
    if (!isTerminalJobState(after.job.state)) return;
    dispatcher.release(after.job.id);
    room.leave(after.job.id);
    onFinished(after);
  }
}

function waitForRoom(
  room: Pick<RoomWatch, 'wait'>,
  { job, search, executions }: JobSnapshot,
  now: number,
): void {
  if (search === undefined) return;
  room.wait(job, search.openedAt, exclusionsAfter(job, search, executions, now).exclude);
}

async function commitPlan(
  commit: JobCommit,
  store: Pick<JobRecords, 'begin'>,
): Promise<JobSnapshot | undefined> {
  try {
    const { after, durable } = await store.begin({ ...commit, prompt: true });
    await durable;
    return after;
  } catch (error) {
    if (codeOf(error) === 'REVISION_CONFLICT') return undefined;
    throw error;
  }
}

/** Contracts of executions that the plan ends, by id: the requester's copy ends with them. */
async function contractsToEnd(
  plan: Plan,
  store: Pick<JobRecords, 'newestContract'>,
): Promise<ReadonlyMap<string, ContractRecord>> {
  const ids = plan.actions.flatMap((action) => {
    const observed = action.kind === 'MarkLost' || action.kind === 'SetDesired' ? action.observed : undefined;
    return observed !== undefined && 'contractId' in observed && observed.contractId !== undefined
      ? [observed.contractId]
      : [];
  });
  const contracts = await Promise.all(ids.map((contractId) => store.newestContract(contractId)));
  return new Map(
    contracts.flatMap((contract) => (contract === undefined ? [] : [[contract.contractId, contract]])),
  );
}
