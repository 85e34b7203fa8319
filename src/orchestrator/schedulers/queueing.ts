import { isNoRoom } from '../../domain/market/bid.ts';
import { type Execution, isCommitted } from '../../domain/market/execution.ts';
import type { ReconcileInput } from '../../domain/job/plan.ts';
import type { Search } from '../../domain/market/search.ts';
import { brokenBids } from './broken-bids.ts';

/** How long a queued job waits between two searches: longer the longer it has waited, as freed room wakes it. */
const SHORTEST_RETRY_MS = 5000;
const LONGEST_RETRY_MS = 30_000;
const RETRY_PART = 4;

export interface Queue {
  /** When the job has waited long enough. */
  readonly endsAt: number;
  /** When it searches again. */
  readonly searchAt: number;
}

/** How long a job waits whose open partitions nobody has room for. */
export function queueOf(input: ReconcileInput, search: Search): Queue {
  const { executions, job } = input;
  const { queueMs, queueFor } = job.spec.timeouts;
  const forMs = queueFor === 'room' && !roomMayCome(input, search) ? 0 : queueMs;
  // What runs of the job makes room when it ends: until then nobody is short of anything.
  const since = Math.max(search.fruitlessSince, ...executions.map(endedAt));
  const endsAt = forMs > 0 && executions.some(isCommitted) ? Number.POSITIVE_INFINITY : since + forMs;

  const closedAt = search.closedAt ?? search.openedAt;
  const retryMs = Math.max(SHORTEST_RETRY_MS, (closedAt - search.fruitlessSince) / RETRY_PART);
  const searchAt = Math.min(endsAt, closedAt + Math.min(LONGEST_RETRY_MS, Math.ceil(retryMs)));
  const freedAt = Math.max(input.roomFreedAt ?? 0, ...executions.map(endedAt));
  return { endsAt, searchAt: freedAt >= search.openedAt ? Math.min(closedAt, searchAt) : searchAt };
}

/** Whether a provider that is known could take what is open of the job, once less runs there. */
export function roomMayCome(
  { executions }: Pick<ReconcileInput, 'executions'>,
  { requestId, index, roomMayCome: before }: Search,
): boolean {
  return (
    before === true ||
    index.declines.some(({ decline }) => isNoRoom(decline) || decline.code === 'RATE_LIMITED') ||
    // Who is left alone for a while is asked again after it.
    brokenBids(executions).some(({ until }) => Number.isFinite(until)) ||
    executions.some(
      (execution) =>
        isCommitted(execution) || (execution.requestId === requestId && wasRefusedForRoom(execution)),
    )
  );
}

function wasRefusedForRoom({ observed }: Execution): boolean {
  return 'end' in observed && observed.end.noRoom === true;
}

/** When an execution gave back what it took, as far as its provider said so; 0 for any other. */
function endedAt({ observed }: Execution): number {
  const told = observed.state === 'Completed' || observed.state === 'Failed';
  if (!told || observed.contractId === undefined || observed.end.exitReason === 'lost') return 0;
  return observed.end.finishedAt;
}
