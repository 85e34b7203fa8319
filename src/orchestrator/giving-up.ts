import { isLive } from '../domain/market/execution.ts';
import { isTerminalJobState } from '../domain/job/job.ts';
import type { JobSnapshot, PlanAction } from '../domain/job/plan.ts';
import type { Chance } from '../lib/chance.ts';
import type { Clock } from '../lib/clock.ts';
import { CodedError } from '../lib/coded-error.ts';
import { retryOn } from '../lib/retry.ts';
import type { JobLane } from './job-lane.ts';
import type { Planner } from './planners/planner.ts';
import { stopOne } from './schedulers/endings.ts';

export interface GivingUpNeeds {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly lane: Pick<JobLane, 'alone'>;
  readonly planner: Pick<Planner, 'carryOut'>;
  /** Aborted when the node stops. */
  readonly signal: AbortSignal;
}

const WORTH_REPEATING = ['STORE_BUSY', 'REVISION_CONFLICT'];
const REPEAT = { firstMs: 20, longestMs: 2000, factor: 2 };

/**
 * A job that cannot be planned any more would wait for ever: it fails, and all that is live of it ends in the same
 * batch, as nothing looks at a finished job again.
 */
export async function giveUpJob(
  jobId: string,
  { clock, chance, lane, planner, signal }: GivingUpNeeds,
): Promise<void> {
  await retryOn(WORTH_REPEATING, REPEAT, { clock, chance, signal }, () =>
    lane.alone(jobId, async (store) => {
      const before = await store.newest(jobId);
      if (before === undefined || isTerminalJobState(before.job.state)) return;
      const plan = { jobId, revision: before.revision, actions: endingsOf(before, clock.livedMs()) };
      if (await planner.carryOut(plan, before, store)) return;
      throw new CodedError('REVISION_CONFLICT', 'The job has changed while it was given up.');
    }),
  );
}

function endingsOf({ executions, search }: JobSnapshot, now: number): readonly PlanAction[] {
  return [
    ...executions.filter(isLive).map((execution) => stopOne(execution, now, 'cancelled')),
    ...(search === undefined || search.state === 'closed'
      ? []
      : [{ kind: 'CloseSearch', requestId: search.requestId } satisfies PlanAction]),
    { kind: 'SetJobState', state: 'Failed', why: { code: 'job-not-planned', data: {} } },
  ];
}
