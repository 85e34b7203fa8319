import type { Job } from '../../client/index.ts';
import type { CommandAdder, CommandContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { ENDS } from '../follow-job.ts';
import { jobIdOf } from '../job-id.ts';
import { exitCodeOf } from '../job-outcome.ts';
import { withFateOf } from '../node-loss.ts';

export const addWaitCommand: CommandAdder = (job, actOf) => {
  const wait = job
    .command('wait')
    .description('wait until jobs are over; ends with the exit code of the first that did not end well')
    .argument('<ids...>', 'the ids of jobs, or their first 4 characters or more');
  wait.action((ids: readonly string[]) => actOf(wait)((context) => waitFor(context, ids)));
};

/** Each job is told as soon as it and all before it are over, in the order they were named in. */
async function waitFor(context: CommandContext, typed: readonly string[]): Promise<number> {
  const { client, environment, output } = context;
  const interrupted = new AbortController();
  const { signal } = interrupted;
  const forget = environment.onStop(() => interrupted.abort());
  try {
    const ids: string[] = [];
    for (const text of typed) ids.push(await jobIdOf(client, text));
    let exitCode: number = exitCodes.ok;
    for (const id of ids) {
      const job = await ended(context, id, signal);
      const own = exitCodeOf(job);
      await output.result(job, () => `${job.id}  ${job.state}  ${own}`);
      exitCode ||= own;
    }
    return exitCode;
  } catch (error) {
    if (!signal.aborted) throw error;
    await output.note('The jobs that are not over go on.');
    return exitCodes.interrupted;
  } finally {
    forget();
  }
}

async function ended({ client }: CommandContext, id: string, signal: AbortSignal): Promise<Job> {
  try {
    const now = await client.getJob(id, { signal });
    if (OVER.has(now.state)) return now;
    for await (const event of client.jobEvents(id, { signal })) {
      if (ENDS.has(event.type)) break;
    }
    signal.throwIfAborted();
    return await client.getJob(id, { signal });
  } catch (error) {
    throw withFateOf(id, error);
  }
}

const OVER: ReadonlySet<string> = new Set(['Completed', 'Failed', 'Stopped']);
