import type { BidmeshClient } from '../client/index.ts';
import { LiveOutput } from './live-output.ts';
import type { Output } from './output/output.ts';
import type { JobProgress } from './output/progress.ts';

export const ENDS: ReadonlySet<string> = new Set(['job.completed', 'job.failed', 'job.stopped']);

export interface FollowNeeds {
  readonly client: BidmeshClient;
  readonly output: Output;
  readonly progress: JobProgress;
}

/**
 * Watches a job until it is over, showing what goes on. Where a person watches and there is only one program, its
 * output is shown as it comes; what was shown is told, so that the rest can follow from the result.
 */
export async function followJob(
  jobId: string,
  single: boolean,
  needs: FollowNeeds,
  signal: AbortSignal,
): Promise<LiveOutput> {
  const { client, output, progress } = needs;
  const live = new LiveOutput(jobId, output, client);
  try {
    for await (const event of client.jobEvents(jobId, { signal })) {
      await progress.event(event);
      if (
        event.type === 'execution.started' &&
        event.executionId !== undefined &&
        single &&
        output.interactive
      ) {
        await progress.pause();
        live.show(event.executionId);
      }
      if (ENDS.has(event.type)) break;
    }
  } finally {
    await progress.pause();
    await live.end();
  }
  return live;
}
