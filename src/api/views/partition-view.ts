import type { Execution } from '../../domain/market/execution.ts';
import { isTerminalJobState } from '../../domain/job/job.ts';
import type { JobSnapshot } from '../../domain/job/plan.ts';
import type { Partitions } from '../../openapi/shapes/job.ts';

type Place = keyof Partitions;

const PLACES: Readonly<Record<Execution['observed']['state'], Place>> = {
  New: 'negotiating',
  AskForBid: 'negotiating',
  AskForBidAccepted: 'negotiating',
  AskForBidRejected: 'waiting',
  BidRejected: 'waiting',
  BidAccepted: 'running',
  Running: 'running',
  Publishing: 'running',
  Completed: 'completed',
  Failed: 'waiting',
  Cancelled: 'waiting',
};

/** Of each partition its newest attempt, or the one that completed it. */
export function decisiveExecutions(executions: readonly Execution[]): readonly Execution[] {
  const decisive = new Map<number, Execution>();
  for (const execution of executions) {
    const known = decisive.get(execution.partition);
    if (known?.observed.state === 'Completed') continue;
    if (
      known === undefined ||
      execution.observed.state === 'Completed' ||
      known.attempt < execution.attempt
    ) {
      decisive.set(execution.partition, execution);
    }
  }
  return [...decisive.values()].sort((a, b) => a.partition - b.partition);
}

/** Where the partitions of a job are; they add up to its count. What failed waits for another attempt until the job is over. */
export function viewPartitions({ job }: JobSnapshot, decisive: readonly Execution[]): Partitions {
  const counts = { waiting: 0, negotiating: 0, running: 0, completed: 0, failed: 0 };
  for (const { observed } of decisive) counts[PLACES[observed.state]] += 1;
  counts.waiting += job.spec.count - decisive.length;
  if (!isTerminalJobState(job.state)) return counts;
  const { completed } = counts;
  return { waiting: 0, negotiating: 0, running: 0, completed, failed: job.spec.count - completed };
}

/** Of the first partition whose program did not end well; 0 where all are completed, and nothing where that is open. */
export function exitCodeOf({ job }: JobSnapshot, decisive: readonly Execution[]): number | undefined {
  const failed = decisive.find(({ observed }) => 'end' in observed && (observed.end.exitCode ?? 0) !== 0);
  if (failed !== undefined && 'end' in failed.observed) return failed.observed.end.exitCode;
  return job.state === 'Completed' ? 0 : undefined;
}
