import { type Clock, sleep } from '../lib/clock.ts';
import { CodedError } from '../lib/coded-error.ts';
import type { JobLogsOptions, LogPart } from './index.ts';
import { JobChanges } from './job-changes.ts';
import { type JobLogsNeeds, LogReader } from './log-reader.ts';

/** After a live stream broke off while the work goes on. */
const READ_AGAIN_MS = 1000;

/**
 * The output of executions: live from the provider while one runs, and from this node's own store once it is over.
 * Following starts before the job does. It ends with an `end` or, when it breaks off, with an error.
 */
export async function* readJobLogs(
  jobId: string,
  options: JobLogsOptions,
  needs: JobLogsNeeds,
  signal: AbortSignal,
): AsyncGenerator<LogPart> {
  const changes = new JobChanges(jobId, needs.store, signal);
  const reader = new LogReader(jobId, options, needs, changes, signal);
  try {
    while (!signal.aborted) {
      const changed = changes.next();
      const snapshot = await reader.look();
      yield* reader.advance(snapshot);
      const end = reader.endIn(snapshot);
      if (end !== undefined) {
        yield end;
        return;
      }
      await (reader.looksAgain ? Promise.race([changed, pause(needs.clock, signal)]) : changed);
    }
    throw new CodedError('STOPPING', 'The node is stopping: the stream breaks off.');
  } finally {
    changes.end();
  }
}

async function pause(clock: Clock, signal: AbortSignal): Promise<void> {
  try {
    await sleep(clock, READ_AGAIN_MS, signal);
  } catch {
    // The loop sees that it is to end.
  }
}
