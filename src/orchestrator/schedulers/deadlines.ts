import type { Execution } from '../../domain/market/execution.ts';
import type { JobTimeouts } from '../../domain/job/job.ts';

/** The provider keeps the deadlines itself; this is how much later than that it is not believed any more. */
export const OVERDUE_SLACK_MS = 60_000;

/**
 * The lived time by which a committed execution must have gone one step further. Never for one whose work is done:
 * fetching its result has bounds of its own.
 */
export function overdueAt(execution: Execution, timeouts: JobTimeouts): number {
  const { lockMs, contractMs, startMs, executionMs } = timeouts;
  const startBy = execution.createdAt + lockMs + contractMs + startMs + OVERDUE_SLACK_MS;
  const { state } = execution.observed;
  if (state === 'BidAccepted') return startBy;
  return state === 'Running' ? startBy + executionMs : Number.POSITIVE_INFINITY;
}
