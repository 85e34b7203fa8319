import type { EndReason } from '../../domain/market/end-reason.ts';
import {
  type Execution,
  type ExecutionEnd,
  type Observed,
  isCommitted,
  isLive,
} from '../../domain/market/execution.ts';
import type { PlanAction, ReconcileInput } from '../../domain/job/plan.ts';
import type { ExitReason } from '../../domain/program/task.ts';
import { overdueAt } from './deadlines.ts';

type Ending = Extract<PlanAction, { kind: 'MarkLost' | 'SetDesired' }>;

/** Ends everything that is not over, and the search. */
export function stopAll(input: ReconcileInput, now: number, reason: ExitReason): readonly PlanAction[] {
  const stops = input.executions
    .filter(isLive)
    .map((execution): PlanAction => stopOne(execution, now, reason));
  return [...stops, ...closeSearch(input)];
}

/** Frees whoever still waits for this job: a search on the air or in the queue, and bidders with an open negotiation. */
export function closeSearch({ search, openNegotiations }: ReconcileInput): readonly PlanAction[] {
  if (search === undefined || (search.state === 'closed' && openNegotiations.size === 0)) return [];
  return [{ kind: 'CloseSearch', requestId: search.requestId }];
}

/**
 * What nobody has bound itself to is rejected, the rest is cancelled: a provider that works on it, or that may have
 * accepted a proposal whose answer is not known, hears of that with its next serving list.
 */
export function stopOne(execution: Execution, now: number, reason: ExitReason): Ending {
  const bound = isCommitted(execution) || execution.contractId !== undefined;
  const stopped = reason === 'timeout' ? 'total-time-over' : 'stopped-by-requester';
  const why: EndReason = { code: bound ? stopped : 'bid-not-used', data: {} };
  const end: ExecutionEnd = { finishedAt: now, exitReason: reason, why };
  const observed: Observed = bound
    ? { state: 'Cancelled', ...ranOf(execution), end }
    : { state: 'BidRejected', end };
  return { kind: 'SetDesired', executionId: execution.id, desired: 'Stopped', observed };
}

/** Executions that nobody tells the end of: silent providers, broken negotiations, work that is long overdue. */
export function markLost(input: ReconcileInput, now: number): readonly Ending[] {
  return input.executions.filter(isLive).flatMap((execution): Ending[] => {
    const loss = lossOf(execution, input, now);
    if (loss === undefined) return [];
    const observed: Observed = {
      state: 'Failed',
      ...ranOf(execution),
      end: { finishedAt: now, ...loss },
    };
    return [{ kind: 'MarkLost', executionId: execution.id, observed }];
  });
}

function lossOf(
  execution: Execution,
  input: ReconcileInput,
  now: number,
): Pick<ExecutionEnd, 'exitReason' | 'why'> | undefined {
  if (isCommitted(execution)) {
    const silentMs = now - execution.lastSeenAt;
    if (silentMs > input.lostAfterMs) {
      return { exitReason: 'lost', why: { code: 'provider-silent', data: { silentMs } } };
    }
    const overdue = now >= overdueAt(execution, input.job.spec.timeouts);
    return overdue ? { exitReason: 'timeout', why: { code: 'work-overdue', data: {} } } : undefined;
  }
  // A proposal may have been accepted: only its answer, a signed never or its own deadline settles that.
  if (execution.contractId !== undefined) return undefined;
  const current =
    input.search?.requestId === execution.requestId && input.openNegotiations.has(execution.provider);
  return current ? undefined : { exitReason: 'lost', why: { code: 'negotiation-ended', data: {} } };
}

/** The executions as they are once `endings` are carried out. */
export function withEndings(
  executions: readonly Execution[],
  endings: readonly Ending[],
): readonly Execution[] {
  if (endings.length === 0) return executions;
  const ends = new Map(endings.map(({ executionId, observed }) => [executionId, observed]));
  return executions.map((execution) => {
    const observed = ends.get(execution.id);
    return observed === undefined ? execution : { ...execution, observed, desired: 'Stopped' };
  });
}

function ranOf({ observed, contractId }: Execution): { contractId?: string; startedAt?: number } {
  if (observed.state === 'BidAccepted' || observed.state === 'Running' || observed.state === 'Publishing') {
    return {
      contractId: observed.contractId,
      ...(observed.startedAt === undefined ? {} : { startedAt: observed.startedAt }),
    };
  }
  return contractId === undefined ? {} : { contractId };
}
