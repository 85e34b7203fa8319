import { isCommitted, isLive } from '../../domain/market/execution.ts';
import { isTerminalJobState } from '../../domain/job/job.ts';
import type { Plan, PlanAction, ReconcileInput } from '../../domain/job/plan.ts';
import { closeSearch, markLost, stopAll, stopOne, withEndings } from './endings.ts';
import { isOpen, partitionsOf, surplusOf } from './partitions.ts';
import { approve, place } from './placement.ts';
import { retryVerdict } from './retry.ts';

/**
 * What should differ for a batch job: `count` partitions, each completed once. Pure: the same input gives the same
 * plan, and carrying a plan out makes a later plan smaller, until nothing is left to do.
 */
export function reconcileBatch(input: ReconcileInput, now: number): Plan {
  const { job, revision } = input;
  const actions = isTerminalJobState(job.state) ? stopAll(input, now, 'cancelled') : actionsFor(input, now);
  return { jobId: job.id, revision, actions };
}

function actionsFor(input: ReconcileInput, now: number): readonly PlanAction[] {
  const { job } = input;
  const { totalMs } = job.spec.timeouts;
  if (job.stopRequested === true) {
    const why = { code: 'stopped-by-owner', data: {} } as const;
    return [...stopAll(input, now, 'cancelled'), { kind: 'SetJobState', state: 'Stopped', why }];
  }
  if (now >= job.createdAt + totalMs) {
    const why = { code: 'job-time-over', data: { totalMs } } as const;
    return [...stopAll(input, now, 'timeout'), { kind: 'SetJobState', state: 'Failed', why }];
  }
  const lost = markLost(input, now);
  return [...lost, ...goOn({ ...input, executions: withEndings(input.executions, lost) }, now)];
}

/** The plan for a job that is wanted, with all losses written down. */
function goOn(input: ReconcileInput, now: number): readonly PlanAction[] {
  const { job } = input;
  const found = partitionsOf(job.spec.count, input.executions);
  if (found.every(({ completed }) => completed)) {
    return [...stopAll(input, now, 'cancelled'), { kind: 'SetJobState', state: 'Completed' }];
  }
  const surplus = surplusOf(found, input.executions).map((execution) => stopOne(execution, now, 'cancelled'));
  const executions = withEndings(input.executions, surplus);
  const current = { ...input, executions };
  const open = partitionsOf(job.spec.count, executions).filter(isOpen);

  const verdict = retryVerdict(job, open, now);
  if (verdict.kind === 'give-up') {
    const { why } = verdict;
    return [...stopAll(input, now, 'cancelled'), { kind: 'SetJobState', state: 'Failed', why }];
  }
  const placed = [...approve(executions), ...place(current, verdict.ready, now)];
  const wanted = placed.some((action) => action.kind === 'SetDesired' && action.desired === 'Running');
  return [
    ...surplus,
    ...placed,
    ...(wanted && job.state !== 'Running'
      ? [{ kind: 'SetJobState', state: 'Running' } satisfies PlanAction]
      : []),
    ...(verdict.retryAt === undefined
      ? []
      : [{ kind: 'Requeue', trigger: 'job-retry', waitUntil: verdict.retryAt } satisfies PlanAction]),
    ...(open.length === 0 ? releaseOthers(current) : []),
  ];
}

/** Once everything is under contract, the other bidders need not wait any longer. */
function releaseOthers(input: ReconcileInput): readonly PlanAction[] {
  const settled = input.executions.every((execution) => !isLive(execution) || isCommitted(execution));
  return settled ? closeSearch(input) : [];
}
