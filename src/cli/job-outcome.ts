import type { Execution, Job } from '../client/index.ts';
import { exitCodes, passedOn } from './exit-codes.ts';

/** How work under contract ends where that is not why its job failed. */
const NO_FAILURE_OF_ITS_OWN: ReadonlySet<string | undefined> = new Set([
  'completed',
  'lost',
  'requester-away',
  'cancelled',
]);

/** Whether the job failed for want of a provider, and not by what came of its work. */
export function nobodyTook({ state, executions }: Job): boolean {
  const contracted = executions.filter(({ contractId }) => contractId !== undefined);
  return (
    state === 'Failed' &&
    newestAttempts(contracted).every(({ exitReason }) => NO_FAILURE_OF_ITS_OWN.has(exitReason))
  );
}

/** Of each partition. */
function newestAttempts(executions: readonly Execution[]): readonly Execution[] {
  const newest = new Map<number, Execution>();
  for (const execution of executions) {
    const known = newest.get(execution.partition);
    if (known === undefined || known.attempt < execution.attempt) newest.set(execution.partition, execution);
  }
  return [...newest.values()];
}

/** The program's own exit code: of the newest attempt of the first partition whose program did not end well. */
export function exitCodeOf(job: Job): number {
  const failed = newestAttempts(job.executions).find(
    ({ exitCode }) => exitCode !== undefined && exitCode !== 0,
  );
  if (failed?.exitCode !== undefined) return passedOn(failed.exitCode);
  return job.state === 'Completed' ? exitCodes.ok : exitCodes.failure;
}
