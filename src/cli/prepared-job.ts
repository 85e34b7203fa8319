import { resolve } from 'node:path';
import { CodedError } from '../lib/coded-error.ts';
import type { CommandContext } from './context.ts';
import { folderOf, type JobDocument, readJobFile, withLines } from './job-file.ts';
import { isProgram, jobAround, type ProgramFlags } from './program-job.ts';
import { uploadFiles } from './uploads.ts';

export interface PreparedJob {
  readonly job: JobDocument;
  /** A refusal of the job with the lines of the file it came from. */
  readonly named: (error: unknown) => unknown;
}

/** The job in a file, or around a program, with the files that it names uploaded. */
export async function prepareJob(
  { environment, client }: CommandContext,
  file: string,
  args: readonly string[],
  flags: ProgramFlags,
  signal?: AbortSignal,
): Promise<PreparedJob> {
  if (isProgram(file)) {
    const job = await uploadFiles(jobAround(file, args, flags), environment.cwd, client, signal);
    return { job, named: (error) => error };
  }
  const { input, output, env, cpu, memory, count, name } = flags;
  const stray = Object.entries({ input, output, env, cpu, memory, count, name }).find(
    ([, value]) => value !== undefined,
  );
  if (stray !== undefined || args.length > 0) {
    const what = stray === undefined ? 'Arguments go' : `--${stray[0]} goes`;
    throw new CodedError('USAGE', `${what} with a program (.py or .wasm); a job description says it itself.`);
  }
  const path = resolve(environment.cwd, file);
  const read = await readJobFile(path);
  const job = await uploadFiles(read.job, folderOf(path), client, signal);
  return { job, named: (error) => withLines(error, read) };
}
