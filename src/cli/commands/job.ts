import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import type { BidmeshClient } from '../../client/index.ts';
import type { CommandAdder, CommandContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { JOB_ID, jobIdOf } from '../job-id.ts';
import { tableOf } from '../output/table.ts';
import { explanationText } from '../output/explanation.ts';
import { jobListText, jobText } from '../output/job-text.ts';
import { bytesText, eventLine } from '../output/text.ts';
import { downloadResults, incompleteDownload, resultsOf } from '../results.ts';
import { addLogsCommand } from './job-logs.ts';
import { addPostCommands } from './job-run.ts';
import { addWaitCommand } from './job-wait.ts';

type JobFilter = NonNullable<Parameters<BidmeshClient['listJobs']>[0]>;

/** A longer one moves the rest of its own line and of no other. */
const WIDEST_PATH = 40;

export const addJobCommands: CommandAdder = (program, actOf) => {
  const job = program.command('job').description('post jobs and look after them');
  addPostCommands(job, actOf);
  addWaitCommand(job, actOf);
  addReadCommands(job, actOf);
  addLogsCommand(job, actOf);
  addOutputCommands(job, actOf);
  const cancel = job.command('cancel').description('ask for the end of a job').argument('<id>', JOB_ID);
  cancel.action((text: string) =>
    actOf(cancel)(async ({ client, output }) => {
      const id = await jobIdOf(client, text);
      await client.cancelJob(id);
      await output.result({ id }, () => `asked for the end of ${id}`);
      return exitCodes.ok;
    }),
  );
};

const addReadCommands: CommandAdder = (job, actOf) => {
  const list = job
    .command('list')
    .description('the jobs of the node, newest first')
    .option('--state <state>', 'Pending, Queued, Running, Completed, Failed or Stopped', capitalised)
    .option('--name <name>', 'those of just this name')
    .option('--label <key=value>', 'those with this label', labelQuery)
    .option('--limit <number>', 'how many at most')
    .option('--cursor <cursor>', 'go on where the list before ended');
  // The node checks what was typed.
  list.action((flags: JobFilter) => actOf(list)((context) => listJobs(context, flags)));
  const get = job.command('get').description('one job and its executions').argument('<id>', JOB_ID);
  get.action((id: string) =>
    actOf(get)(async (context) => getJob(context, await jobIdOf(context.client, id))),
  );
  const explain = job
    .command('explain')
    .description('why a job is where it is: every bid, every no, and what came nearest')
    .argument('<id>', JOB_ID);
  explain.action((id: string) =>
    actOf(explain)(async (context) => explainJob(context, await jobIdOf(context.client, id))),
  );
  const events = job
    .command('events')
    .description('what happened to a job')
    .argument('<id>', JOB_ID)
    .option('--follow', 'go on until it is interrupted');
  events.action((text: string, { follow = false }: { follow?: boolean }) =>
    actOf(events)(async (context) => {
      const id = await jobIdOf(context.client, text);
      return follow ? followEvents(context, id) : listEvents(context, id);
    }),
  );
};

/** States are written with a capital, and typed without one. */
function capitalised(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1).toLowerCase()}`;
}

/** As the node takes it, out of the form that `job run --label` has too. */
function labelQuery(text: string): string {
  const at = text.search(/[=:]/);
  if (at > 0) return `${text.slice(0, at)}:${text.slice(at + 1)}`;
  throw new InvalidArgumentError('It takes KEY=VALUE.');
}

async function listJobs({ client, output, environment }: CommandContext, query: JobFilter): Promise<number> {
  const list = await client.listJobs(query);
  await output.result(list, () => jobListText(list.items, environment.clock.nowMs()));
  if (list.nextCursor !== undefined) await output.note(`There are more: --cursor ${list.nextCursor}`);
  return exitCodes.ok;
}

async function getJob({ client, output, environment }: CommandContext, id: string): Promise<number> {
  const job = await client.getJob(id);
  await output.result(job, () => jobText(job, environment.clock.nowMs()));
  return exitCodes.ok;
}

async function explainJob({ client, output }: CommandContext, id: string): Promise<number> {
  const explanation = await client.explainJob(id);
  await output.result(explanation, () => explanationText(explanation, 'posted'));
  return exitCodes.ok;
}

async function listEvents({ client, output }: CommandContext, id: string): Promise<number> {
  for await (const event of client.jobEvents(id, { follow: false })) {
    await output.result(event, () => eventLine(event));
  }
  return exitCodes.ok;
}

async function followEvents(context: CommandContext, id: string): Promise<number> {
  const { client, environment, output } = context;
  const interrupted = new AbortController();
  const forget = environment.onStop(() => interrupted.abort());
  try {
    for await (const event of client.jobEvents(id, { signal: interrupted.signal })) {
      await output.result(event, () => eventLine(event));
    }
    return exitCodes.interrupted;
  } finally {
    forget();
  }
}

const addOutputCommands: CommandAdder = (job, actOf) => {
  const results = job
    .command('results')
    .description('list the result files, print one, or download all')
    .argument('<id>', JOB_ID)
    .argument('[path]', 'the file to print')
    .option('--out <dir>', 'download all files into this folder');
  results.action((text: string, path: string | undefined, { out }: { out?: string }) =>
    actOf(results)(async (context) => {
      const id = await jobIdOf(context.client, text);
      if (path !== undefined) return printResult(context, id, path);
      return out === undefined ? listResults(context, id) : download(context, id, out);
    }),
  );
};

async function listResults({ client, output }: CommandContext, id: string): Promise<number> {
  const items = await resultsOf(client, id);
  const rows = items.flatMap(({ partition, files }) =>
    files.map(({ path, size, cid }) => [String(partition), path, bytesText(size), cid]),
  );
  await output.result({ items }, () => tableOf(['PARTITION', 'PATH', 'SIZE', 'CID'], rows, WIDEST_PATH));
  return exitCodes.ok;
}

async function printResult({ client, output }: CommandContext, id: string, path: string): Promise<number> {
  for await (const chunk of await client.getResultFile(id, path)) await output.bytes(chunk);
  return exitCodes.ok;
}

async function download(context: CommandContext, id: string, out: string): Promise<number> {
  const { client, output, environment } = context;
  const folder = resolve(environment.cwd, out);
  const { files, leftOut } = await downloadResults(client, id, await resultsOf(client, id), folder);
  await output.result({ files, ...(leftOut.length === 0 ? {} : { leftOut }) }, () => files.join('\n'));
  const incomplete = incompleteDownload(id, leftOut);
  if (incomplete === undefined) return exitCodes.ok;
  await output.failure(incomplete);
  return exitCodes.failure;
}
