import { type JobLogsOptions, type LogEvent, LogsBrokenOff, type LogStream } from '../../client/index.ts';
import { CodedError } from '../../lib/coded-error.ts';
import type { CommandAdder, CommandContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { JOB_ID, jobIdOf } from '../job-id.ts';
import { PrefixedLines } from '../output/prefixed-lines.ts';
import { shortPeer } from '../output/progress.ts';

interface LogFlags {
  readonly follow?: boolean;
  readonly stream?: string;
  readonly from?: string;
  readonly partition?: string;
  readonly execution?: string;
}

/** What is to be printed of a job. */
type LogWish = { readonly jobId: string } & Pick<
  JobLogsOptions,
  'follow' | 'stream' | 'from' | 'partition' | 'execution'
>;

const LINE_FEED = 0x0a;
/** How a program ends by itself; of anything else the output does not tell. */
const OWN_ENDS: ReadonlySet<string> = new Set(['completed', 'exit-code']);

/** Partitions that are followed side by side; a node has only so many streams. */
const FOLLOWED_AT_ONCE = 64;

export const addLogsCommand: CommandAdder = (job, actOf) => {
  const logs = job
    .command('logs')
    .description('what the program printed: of all partitions, each line behind its number, or of one')
    .argument('<id>', JOB_ID)
    .option('--follow', 'go on until it ends, over all its attempts')
    .option('--stream <stream>', 'stdout or stderr')
    .option('--partition <number>', 'of this partition alone, as it was printed')
    .option('--execution <id>', 'of this attempt alone ("job get" lists them)')
    .option('--from <offset>', 'skip so many bytes');
  logs.action((id: string) =>
    actOf(logs)(async (context) => printLogs(context, await jobIdOf(context.client, id), logs.opts())),
  );
};

async function printLogs(context: CommandContext, id: string, flags: LogFlags): Promise<number> {
  const interrupted = new AbortController();
  const forget = context.environment.onStop(() => interrupted.abort());
  try {
    const whole = await printChosen(context, id, flags, interrupted.signal);
    if (interrupted.signal.aborted) return exitCodes.interrupted;
    return whole ? exitCodes.ok : exitCodes.brokenOff;
  } catch (error) {
    if (interrupted.signal.aborted) return exitCodes.interrupted;
    if (!(error instanceof LogsBrokenOff)) throw error;
    await context.output.failure(brokenOff(id, flags, error));
    return exitCodes.brokenOff;
  } finally {
    forget();
  }
}

/** True when all that was asked for was printed. */
async function printChosen(
  context: CommandContext,
  jobId: string,
  { follow = false, stream, from, partition, execution }: LogFlags,
  signal: AbortSignal,
): Promise<boolean> {
  const { output } = context;
  const wish = {
    jobId,
    follow,
    stream: streamOf(stream),
    ...(from === undefined ? {} : { from }),
    ...(execution === undefined ? {} : { execution }),
  };
  if (partition !== undefined) {
    const one = { ...wish, partition: partitionOf(partition) };
    return new LogPrinter(context, one, (bytes) => output.bytes(bytes)).print(signal);
  }
  const count = execution === undefined ? await partitionsOf(context, jobId, signal) : 1;
  if (count === 1) return new LogPrinter(context, wish, (bytes) => output.bytes(bytes)).print(signal);
  if (from === undefined) return printAll(context, wish, count, signal);
  throw new CodedError('USAGE', `The job has ${count} partitions: --from goes with --partition <number>.`);
}

function streamOf(text = 'stdout'): LogStream {
  if (text === 'stdout' || text === 'stderr') return text;
  throw new CodedError('USAGE', `--stream takes stdout or stderr, and not ${JSON.stringify(text)}.`);
}

function partitionOf(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new CodedError(
    'USAGE',
    `--partition takes a whole number, counted from 0: not ${JSON.stringify(text)}.`,
  );
}

async function partitionsOf({ client }: CommandContext, jobId: string, signal: AbortSignal): Promise<number> {
  return (await client.getJob(jobId, { signal })).count;
}

/** All partitions, each line behind its number: side by side when following, else one after the other. */
async function printAll(
  context: CommandContext,
  wish: LogWish,
  count: number,
  signal: AbortSignal,
): Promise<boolean> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const partitions = Array.from({ length: count }, (_, partition) => partition).values();
  let whole = true;
  const work = async (): Promise<void> => {
    for (const partition of partitions) {
      const prefix = `p${partition} | `;
      const lines = new PrefixedLines(prefix, (bytes) => context.output.bytes(bytes));
      const printer = new LogPrinter(context, { ...wish, partition }, (bytes) => lines.push(bytes), prefix);
      try {
        if (!(await printer.print(either))) whole = false;
      } finally {
        await lines.end();
      }
      if (either.aborted) return;
    }
  };
  const workers = Array.from({ length: wish.follow ? Math.min(count, FOLLOWED_AT_ONCE) : 1 }, () =>
    work().catch((error: unknown) => {
      failed.abort();
      throw error;
    }),
  );
  // None may still print when the command is over.
  const settled = await Promise.allSettled(workers);
  const failure = settled.find((one) => one.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
  return whole;
}

/** Prints one log; what is to be known about it besides goes to standard error. */
class LogPrinter {
  readonly #context: CommandContext;
  readonly #wish: LogWish;
  readonly #write: (bytes: Uint8Array) => Promise<void>;
  readonly #prefix: string;
  #midLine = false;
  #attempt: number | undefined;
  #missing: CodedError | undefined;

  constructor(
    context: CommandContext,
    wish: LogWish,
    write: (bytes: Uint8Array) => Promise<void>,
    prefix = '',
  ) {
    this.#context = context;
    this.#wish = wish;
    this.#write = write;
    this.#prefix = prefix;
  }

  /** True when all of the last attempt that was read was there. */
  async print(signal: AbortSignal): Promise<boolean> {
    const { client, output } = this.#context;
    const { jobId, ...wish } = this.#wish;
    const onBroken = (): Promise<void> => this.#note('The node does not answer; trying again.');
    for await (const event of client.jobLogs(jobId, { ...wish, signal, onBroken })) {
      await this.#show(event);
    }
    if (this.#missing === undefined) return true;
    await output.failure(this.#missing);
    return false;
  }

  async #show(event: LogEvent): Promise<void> {
    switch (event.type) {
      case 'output':
        if (event.bytes.length > 0) this.#midLine = event.bytes.at(-1) !== LINE_FEED;
        await this.#write(event.bytes);
        return;
      case 'attempt': {
        if (this.#missing !== undefined) await this.#note(this.#missing.message);
        this.#missing = undefined;
        const before = this.#attempt;
        this.#attempt = event.attempt;
        if (before === undefined) return;
        await this.#mark(`--- attempt ${event.attempt}, on ${shortPeer(event.provider)} ---`);
        return;
      }
      case 'missing':
        this.#missing = missingPart(event);
        return;
      case 'end':
        if (event.exitReason === undefined || OWN_ENDS.has(event.exitReason)) return;
        await this.#note(`The program did not come to its own end: ${event.exitReason}.`);
    }
  }

  /** Where another attempt begins is told among the output, so that a file of it can be read; one of them has no marks. */
  async #mark(text: string): Promise<void> {
    if (this.#context.output.json) return;
    await this.#write(Buffer.from(`${this.#midLine ? '\n' : ''}${text}\n`));
    this.#midLine = false;
  }

  async #note(text: string): Promise<void> {
    await this.#context.output.note(`${this.#prefix}${text}`);
  }
}

/** Where it broke off, and the command that reads on there. */
function brokenOff(jobId: string, { follow, stream }: LogFlags, cause: LogsBrokenOff): CodedError {
  const { executionId, offset } = cause;
  const flags = [
    ...(follow === true ? [' --follow'] : []),
    ...(stream === undefined || stream === 'stdout' ? [] : [` --stream ${stream}`]),
    ...(executionId === undefined ? [] : [` --execution ${executionId}`]),
    ` --from ${offset}`,
  ];
  return new CodedError(
    cause.code,
    `The node has gone away in the middle of the output, at byte ${offset}; the job may go on. Once the node is back, read on with: bidmesh job logs ${jobId}${flags.join('')}`,
    { cause, data: cause.data },
  );
}

function missingPart({ executionId, offset, until }: Extract<LogEvent, { type: 'missing' }>): CodedError {
  const part = until === undefined ? `from byte ${offset} on` : `in bytes ${offset} to ${until}`;
  return new CodedError(
    'LOGS_INCOMPLETE',
    `What attempt ${executionId} printed ${part} has not come to this node: its provider went away first. What that provider still has comes when it is back.`,
    { data: { executionId, offset, ...(until === undefined ? {} : { until }) } },
  );
}
