import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { BidmeshClient, Job, LogStream, Result } from '../../client/index.ts';
import type { CommandAdder, CommandContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { followJob } from '../follow-job.ts';
import { exitCodeOf, nobodyTook } from '../job-outcome.ts';
import type { LiveOutput } from '../live-output.ts';
import { withFateOf } from '../node-loss.ts';
import { explanationText } from '../output/explanation.ts';
import { Progress } from '../output/progress.ts';
import { SweepProgress } from '../output/sweep-progress.ts';
import { prepareJob } from '../prepared-job.ts';
import { EXTENSIONS, type ProgramFlags } from '../program-job.ts';
import { checkedIdempotencyKey } from '../request-failure.ts';
import { downloadResults, incompleteDownload, resultsOf } from '../results.ts';
import { withProgramFlags } from './program-flags.ts';

interface PostFlags extends ProgramFlags {
  readonly idempotencyKey?: string;
  readonly out?: string;
  readonly dryRun?: boolean;
}

/** Standard output and error of a job, as far as they go into a machine's answer. */
const MOST_TEXT_BYTES = 1024 * 1024;

export const addPostCommands: CommandAdder = (job, actOf) => {
  const post = withJobFlags(
    job
      .command('post')
      .description('post a job and print its id')
      .option('--dry-run', 'post nothing: search, and print who would take the job and why'),
  );
  post.action((file: string, args: readonly string[], flags: PostFlags) =>
    actOf(post)(async (context) => {
      if (flags.dryRun === true) return tryJob(context, file, args, flags);
      const { id } = await postJob(context, file, args, flags);
      await context.output.result({ id }, () => id);
      return exitCodes.ok;
    }),
  );
  const run = withJobFlags(
    job
      .command('run')
      .description('post a job, show what goes on, and print what it printed; ends with its exit code')
      .option('--out <dir>', 'download the result files into this folder'),
  );
  run.action((file: string, args: readonly string[], flags: PostFlags) =>
    actOf(run)((context) => runJob(context, file, args, flags)),
  );
};

function withJobFlags(command: Command): Command {
  return withProgramFlags(
    command
      .argument(
        '<file>',
        `a job description (YAML or JSON), a program (${EXTENSIONS}), or - for either from a pipe`,
      )
      .argument('[args...]', "the program's arguments; those with dashes go behind --")
      .option('--idempotency-key <key>', 'the same key posts the same job only once'),
  );
}

async function postJob(
  context: CommandContext,
  file: string,
  args: readonly string[],
  flags: PostFlags,
  signal?: AbortSignal,
): Promise<{ readonly id: string; readonly count: number }> {
  const { idempotencyKey } = flags;
  const key = idempotencyKey === undefined ? undefined : checkedIdempotencyKey(idempotencyKey);
  const { job, named } = await prepareJob(context, file, args, flags, signal);
  // From here on the node may have the job, so it is seen through to the answer that says so.
  signal?.throwIfAborted();
  const request = context.client.postJob({ json: JSON.stringify(job) }, { idempotencyKey: key });
  const { id } = await request.catch((error: unknown) => {
    throw named(error);
  });
  const count = job['count'];
  return { id, count: typeof count === 'number' ? count : 1 };
}

async function tryJob(
  context: CommandContext,
  file: string,
  args: readonly string[],
  flags: PostFlags,
): Promise<number> {
  const { client, output } = context;
  const { job, named } = await prepareJob(context, file, args, flags);
  const request = client.postJob({ json: JSON.stringify(job) }, { dryRun: true });
  const explanation = await request.catch((error: unknown) => {
    throw named(error);
  });
  await output.result(explanation, () => explanationText(explanation, 'tried'));
  return explanation.winner === undefined ? exitCodes.failure : exitCodes.ok;
}

async function runJob(
  context: CommandContext,
  file: string,
  args: readonly string[],
  flags: PostFlags,
): Promise<number> {
  const { environment, client, output } = context;
  const interrupted = new AbortController();
  const { signal } = interrupted;
  const forget = environment.onStop(() => interrupted.abort());
  output.outliveReader();
  let id: string | undefined;
  try {
    const posted = await postJob(context, file, args, flags, signal);
    ({ id } = posted);
    await output.note(`job ${id}`);
    const { clock } = environment;
    const { count } = posted;
    const progress = count === 1 ? new Progress(output, clock) : new SweepProgress(output, clock, count);
    const live = await followJob(id, count === 1, { client, output, progress }, signal);
    signal.throwIfAborted();
    return await showEnd(context, id, flags, live, signal);
  } catch (error) {
    if (!signal.aborted) throw id === undefined ? error : withFateOf(id, error);
    await output.note(
      id === undefined
        ? 'Nothing was posted.'
        : `The job goes on, if it is not over. End it with: bidmesh job cancel ${id}`,
    );
    return exitCodes.interrupted;
  } finally {
    forget();
  }
}

/** What the job came to: the rest of its output, its files where they are asked for, and its exit code. */
async function showEnd(
  context: CommandContext,
  id: string,
  flags: PostFlags,
  live: LiveOutput,
  signal: AbortSignal,
): Promise<number> {
  const { environment, client, output } = context;
  const job = await client.getJob(id, { signal });
  const results = await resultsOf(client, id);
  await (output.json ? printMachine(context, job, results) : printRest(context, id, results, live));
  if (flags.out !== undefined) {
    const folder = resolve(environment.cwd, flags.out);
    const { files, leftOut } = await downloadResults(client, id, results, folder, signal);
    await output.note(`${files.length} files in ${flags.out}`);
    const incomplete = incompleteDownload(id, leftOut);
    if (incomplete !== undefined) {
      await output.failure(incomplete);
      return exitCodeOf(job) || exitCodes.failure;
    }
  }
  if (nobodyTook(job)) await output.note(`Why, and what would have helped: bidmesh job explain ${id}`);
  return exitCodeOf(job);
}

/** What of the programs' output was not shown while they ran. */
async function printRest(
  { client, output }: CommandContext,
  id: string,
  results: readonly Result[],
  live: LiveOutput,
): Promise<void> {
  for (const stream of ['stderr', 'stdout'] as const) {
    for (const { partition, executionId, files } of results) {
      if (!files.some(({ path }) => path === stream)) continue;
      let toSkip = live.shownBytes(executionId, stream);
      for await (const chunk of await client.getResultFile(id, `p${partition}/${stream}`)) {
        const rest = chunk.subarray(Math.min(toSkip, chunk.length));
        toSkip -= chunk.length - rest.length;
        await (stream === 'stdout' ? output.bytes(rest) : output.errorBytes(rest));
      }
    }
  }
}

async function printMachine(
  { client, output }: CommandContext,
  job: Job,
  results: readonly Result[],
): Promise<void> {
  const [stdout, stderr] = [
    await textOf(client, job.id, results, 'stdout'),
    await textOf(client, job.id, results, 'stderr'),
  ];
  await output.result({ ...job, stdout, stderr, results }, () => '');
}

async function textOf(
  client: BidmeshClient,
  id: string,
  results: readonly Result[],
  stream: LogStream,
): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let left = MOST_TEXT_BYTES;
  for (const { partition, files } of results) {
    if (!files.some(({ path }) => path === stream)) continue;
    for await (const chunk of await client.getResultFile(id, `p${partition}/${stream}`)) {
      text += decoder.decode(chunk.subarray(0, left), { stream: true });
      left -= Math.min(left, chunk.length);
      if (left === 0) break;
    }
  }
  return text;
}
