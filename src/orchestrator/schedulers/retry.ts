import type { Execution } from '../../domain/execution.ts';
import type { Job } from '../../domain/job.ts';

export type RetryVerdict =
  | { readonly kind: 'give-up'; readonly reason: string }
  /** Partitions that may be placed now, and when the next one may. */
  | { readonly kind: 'go-on'; readonly ready: readonly number[]; readonly retryAt?: number };

/**
 * Whether partitions that have no live execution may be tried again. Only attempts that got a contract count
 * against the limit: a provider that declines is not a failure of the job.
 */
export function retryVerdict(
  job: Job,
  partitions: readonly number[],
  executions: readonly Execution[],
  now: number,
): RetryVerdict {
  const ready: number[] = [];
  let retryAt: number | undefined;
  for (const partition of partitions) {
    const failures = executions
      .filter((execution) => execution.partition === partition && isCountedFailure(execution))
      .toSorted((a, b) => a.attempt - b.attempt);
    const last = failures.at(-1);
    if (last?.observed.state !== 'Failed') {
      ready.push(partition);
      continue;
    }
    const { end } = last.observed;
    const repeatable = job.spec.retry.on.some((reason) => reason === end.exitReason);
    if (!repeatable) {
      const code = end.exitCode === undefined ? '' : ` with exit code ${end.exitCode}`;
      return {
        kind: 'give-up',
        reason: `Partition ${partition} failed (${end.exitReason}${code}): ${end.message}`,
      };
    }
    if (failures.length >= job.spec.retry.attempts) {
      return {
        kind: 'give-up',
        reason: `Partition ${partition} failed ${failures.length} times, the last time (${end.exitReason}): ${end.message}`,
      };
    }
    // A lost provider says nothing about the work, so the work need not wait.
    const waitMs = end.exitReason === 'lost' ? 0 : job.spec.retry.backoffMs * 2 ** (failures.length - 1);
    const readyAt = end.finishedAt + waitMs;
    if (readyAt <= now) ready.push(partition);
    else retryAt = Math.min(retryAt ?? readyAt, readyAt);
  }
  return { kind: 'go-on', ready, ...(retryAt === undefined ? {} : { retryAt }) };
}

function isCountedFailure(execution: Execution): boolean {
  return execution.observed.state === 'Failed' && execution.observed.contractId !== undefined;
}
