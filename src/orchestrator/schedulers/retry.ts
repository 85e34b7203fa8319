import type { Execution, Observed } from '../../domain/market/execution.ts';
import type { JobReason } from '../../domain/job/job-reason.ts';
import type { Job } from '../../domain/job/job.ts';
import type { Partition } from './partitions.ts';

export type RetryVerdict =
  | { readonly kind: 'give-up'; readonly why: JobReason }
  /** Partitions that may be placed now, and when the next one may. */
  | { readonly kind: 'go-on'; readonly ready: readonly Partition[]; readonly retryAt?: number };

/** Of one partition: what ended because this node was away counts no more than this often as no attempt at all. */
export const MOST_AWAY = 8;

type Failure = Extract<Observed, { state: 'Failed' }>;

/**
 * Whether partitions that have no live execution may be tried again. Only attempts that got a contract count
 * against the limit: a provider that declines is not a failure of the job, and neither is work that had not begun when
 * this node was away.
 */
export function retryVerdict(job: Job, open: readonly Partition[], now: number): RetryVerdict {
  const { retry } = job.spec;
  const ready: Partition[] = [];
  let retryAt: number | undefined;
  for (const partition of open) {
    const failures = countedFailures(partition.executions);
    const end = failures.at(-1)?.end;
    if (end === undefined) {
      ready.push(partition);
      continue;
    }
    const { exitReason, exitCode, why } = end;
    const about = { partition: partition.index, exitReason, why };
    if (!retry.on.some((reason) => reason === exitReason)) {
      const data = { ...about, ...(exitCode === undefined ? {} : { exitCode }) };
      return { kind: 'give-up', why: { code: 'partition-failed', data } };
    }
    if (failures.length >= retry.attempts) {
      const data = { ...about, attempts: failures.length };
      return { kind: 'give-up', why: { code: 'attempts-used-up', data } };
    }
    // A lost provider says nothing about the work, so the work need not wait.
    const waitMs = exitReason === 'lost' ? 0 : retry.backoffMs * 2 ** (failures.length - 1);
    const readyAt = end.finishedAt + waitMs;
    if (readyAt <= now) ready.push(partition);
    else retryAt = Math.min(retryAt ?? readyAt, readyAt);
  }
  return { kind: 'go-on', ready, ...(retryAt === undefined ? {} : { retryAt }) };
}

function countedFailures(executions: readonly Execution[]): readonly Failure[] {
  const underContract = executions.flatMap(({ observed }) =>
    observed.state === 'Failed' && observed.contractId !== undefined ? [observed] : [],
  );
  const begun = underContract.filter(({ end }) => end.exitReason !== 'requester-away');
  return underContract.length - begun.length > MOST_AWAY ? underContract : begun;
}
