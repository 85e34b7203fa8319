import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import type { BidmeshClient } from '../client/index.ts';
import { CodedError } from '../lib/coded-error.ts';
import type { CommandContext } from './context.ts';
import {
  folderOf,
  type JobDocument,
  type JobFile,
  parseJobFile,
  readJobFile,
  withLines,
} from './job-file.ts';
import {
  engineOf,
  flagOf,
  jobAround,
  nameOf,
  type Program,
  type ProgramFlags,
  refuseProgramFlags,
} from './program-job.ts';
import { engineOfBytes, readStandardInput } from './standard-input.ts';
import { readBytes } from './local-files.ts';
import { uploadBytes, uploadFiles } from './uploads.ts';

export interface PreparedJob {
  readonly job: JobDocument;
  /** A refusal of the job with the lines of the file, or with the flags, that it came from. */
  readonly named: (error: unknown) => unknown;
}

/** What stands for standard input in the place of a file. */
const STDIN = '-';

/**
 * The job that was asked for, as the node takes it: of a description, or around a program, with everything local that
 * it names uploaded. `-` is either of them from standard input.
 */
export async function prepareJob(
  context: CommandContext,
  file: string,
  args: readonly string[],
  flags: ProgramFlags,
  signal?: AbortSignal,
): Promise<PreparedJob> {
  const { environment } = context;
  if (file === STDIN) return await jobFromStdin(context, args, flags, signal);
  const engine = flags.engine ?? engineOf(file);
  if (engine !== undefined) {
    return await programJob(context, { engine, source: file, name: nameOf(file), args }, flags, signal);
  }
  refuseProgramFlags(args, flags);
  const path = resolve(environment.cwd, file);
  return await described(context, await readJobFile(path), folderOf(path), signal);
}

async function jobFromStdin(
  context: CommandContext,
  args: readonly string[],
  flags: ProgramFlags,
  signal?: AbortSignal,
): Promise<PreparedJob> {
  const { environment, client, output } = context;
  if (flags.stdin === STDIN) {
    throw new CodedError('USAGE', 'Standard input is the program itself or what it reads, and not both.');
  }
  if (environment.stdin.isTTY) {
    await output.note('Type or paste the program or the job description, then end it with Ctrl-D.');
  }
  const bytes = await readStandardInput(environment.stdin, signal);
  if (bytes.length === 0) throw new CodedError('USAGE', 'Standard input is empty: there is nothing to run.');
  const engine = flags.engine ?? engineOfBytes(bytes);
  if (engine !== undefined) {
    const source = await uploadBytes(streamOf([bytes]), client, signal);
    return await programJob(context, { engine, source, name: 'job', args }, flags, signal);
  }
  refuseProgramFlags(args, flags);
  return await described(context, parseJobFile(bytes, 'standard input'), environment.cwd, signal);
}

async function described(
  { client }: CommandContext,
  file: JobFile,
  folder: string,
  signal?: AbortSignal,
): Promise<PreparedJob> {
  const job = await uploadFiles(file.job, folder, client, signal);
  return { job, named: (error) => withLines(error, file) };
}

async function programJob(
  context: CommandContext,
  program: Omit<Program, 'stdin' | 'providers'>,
  flags: ProgramFlags,
  signal?: AbortSignal,
): Promise<PreparedJob> {
  const { environment, client } = context;
  const providers = await wholePeerIds(client, flags.provider ?? []);
  const stdin = flags.stdin === undefined ? undefined : await uploadStdin(context, flags.stdin, signal);
  const whole: Program = {
    ...program,
    providers,
    ...(stdin === undefined ? {} : { stdin }),
  };
  const job = await uploadFiles(jobAround(whole, flags), environment.cwd, client, signal);
  return { job, named: inWordsOfFlags };
}

async function uploadStdin(
  { environment, client }: CommandContext,
  file: string,
  signal?: AbortSignal,
): Promise<{ readonly cid: string }> {
  const bytes =
    file === STDIN ? streamOf(environment.stdin.bytes()) : await readBytes(resolve(environment.cwd, file));
  return await uploadBytes(bytes, client, signal);
}

function streamOf(bytes: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  return Readable.toWeb(Readable.from(bytes));
}

const WHOLE_PEER_ID_LENGTH = 52;

/** Ends of peer ids, as lists show them, become whole ones of peers that the node knows. */
async function wholePeerIds(client: BidmeshClient, typed: readonly string[]): Promise<readonly string[]> {
  if (typed.every((text) => text.length === WHOLE_PEER_ID_LENGTH)) return typed;
  const { items } = await client.listPeers();
  return typed.map((text) => {
    if (text.length === WHOLE_PEER_ID_LENGTH) return text;
    const found = items.map(({ peerId }) => peerId).filter((peerId) => peerId.endsWith(text));
    if (found.length === 1 && found[0] !== undefined) return found[0];
    throw new CodedError(
      'USAGE',
      found.length === 0
        ? `--provider ${text}: this node knows no peer whose id ends so. "bidmesh peers" lists them; a whole peer id is always taken.`
        : `--provider ${text}: several peers have ids that end so. Give more of it:${found.map((id) => `\n  ${id}`).join('')}`,
    );
  });
}

interface FieldFault {
  readonly path: string;
  readonly message: string;
}

/** A refusal of the node in the words of the flags that were typed, where they made the job. */
function inWordsOfFlags(error: unknown): unknown {
  if (!(error instanceof CodedError) || error.code !== 'INVALID_JOB') return error;
  const { errors } = error.data;
  if (!Array.isArray(errors) || !errors.every(isFault)) return error;
  const lines = errors.map(({ path, message }) => `\n  ${flagOf(path) ?? path}: ${message}`);
  return new CodedError(error.code, `The job was not accepted.${lines.join('')}`, {
    cause: error,
    data: error.data,
  });
}

function isFault(value: unknown): value is FieldFault {
  return typeof value === 'object' && value !== null && 'path' in value && 'message' in value;
}
