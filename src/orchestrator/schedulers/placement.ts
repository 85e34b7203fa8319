import { type Execution, executionIdOf, isCommitted, isLive } from '../../domain/market/execution.ts';
import type { Job } from '../../domain/job/job.ts';
import type { PlanAction, ReconcileInput } from '../../domain/job/plan.ts';
import type { EligibleComputeProviderData } from '../../domain/market/search.ts';
import { newlyRunOut, pickCandidates } from './candidates.ts';
import { nextAttempt, type Partition } from './partitions.ts';
import { searchAgain } from './shortage.ts';

/** Executions of one job that may be in negotiation at once; each that gets its contract makes room for the next. */
export const MOST_IN_NEGOTIATION = 32;

/** Puts the open partitions on the best bids that are left, or asks for bids again. */
export function place(
  input: ReconcileInput,
  partitions: readonly Partition[],
  now: number,
): readonly PlanAction[] {
  const { job, search } = input;
  if (partitions.length === 0 || (search !== undefined && search.state !== 'closed')) return [];
  const negotiating = input.executions.filter((known) => isLive(known) && !isCommitted(known)).length;
  const room = Math.min(partitions.length, MOST_IN_NEGOTIATION - negotiating);
  if (search !== undefined) {
    const providers = newlyRunOut(search, input.executions, input.openNegotiations, now);
    // A round is written down with why its bids are of no use, before another one takes its place.
    if (providers.length > 0) {
      return [
        { kind: 'RefuseBids', providers, code: 'BID_EXPIRED' },
        { kind: 'Requeue', trigger: 'search-closed', waitUntil: now },
      ];
    }
  }
  const picked =
    search === undefined ? [] : pickCandidates(search, input.executions, input.openNegotiations, room, now);
  if (picked.length === 0) {
    // Executions in negotiation may still need this round's bids: a new round starts when none is under way.
    return negotiating > 0 ? [] : searchAgain(input, partitions.length, now);
  }
  const created = picked.flatMap((candidate, index) => {
    const partition = partitions[index];
    return partition === undefined ? [] : [executionOf(job, partition, candidate, now)];
  });
  return [
    ...created.map((execution): PlanAction => ({ kind: 'CreateExecution', execution })),
    ...approve(created),
  ];
}

/** The winner of a partition is told to run once it holds a lock. */
export function approve(executions: readonly Execution[]): readonly PlanAction[] {
  return executions
    .filter(({ observed, desired }) => observed.state === 'AskForBidAccepted' && desired === 'Pending')
    .map(({ id }) => ({ kind: 'SetDesired', executionId: id, desired: 'Running' }));
}

function executionOf(
  job: Job,
  partition: Partition,
  candidate: EligibleComputeProviderData,
  now: number,
): Execution {
  const { requestId, bidId, price, lock } = candidate.bid.value;
  const attempt = nextAttempt(partition);
  return {
    id: executionIdOf(job.id, job.version, { partition: partition.index, replica: 0 }, attempt),
    jobId: job.id,
    jobVersion: job.version,
    partition: partition.index,
    attempt,
    provider: candidate.provider,
    requestId,
    bidId,
    price,
    createdAt: now,
    desired: 'Pending',
    observed: lock === undefined ? { state: 'New' } : { state: 'AskForBidAccepted', lock },
    sequence: 0,
    lastSeenAt: now,
  };
}
