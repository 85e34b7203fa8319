import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { MAX_NAME_BYTES, MAX_PATH_BYTES, MAX_PATH_DEPTH } from '../../domain/program/path-bounds.ts';
import type { TaskLimits, TaskOutcome } from '../task-driver.ts';

const fileSchema = z.strictObject({
  output: z.string(),
  path: z.string().refine(isPlainPath),
  size: z.int().nonnegative(),
});

/** Thrown when the child breaks a rule that it should have kept by itself. */
export class OutputError extends Error {
  override readonly name = 'OutputError';
}

/**
 * Writes the files a child sends into a folder. They are numbered there: no name that a program chose ever
 * becomes a path on this machine. What the child says is checked again, in case it is no longer itself.
 */
export class OutputCollector {
  readonly #folder: string;
  readonly #names: ReadonlySet<string>;
  readonly #limits: TaskLimits;
  readonly #seen = new Set<string>();
  readonly #files: TaskOutcome['files'][number][] = [];
  #bytes = 0;
  #current: { readonly handle: FileHandle; missing: number } | undefined;

  constructor(folder: string, names: readonly string[], limits: TaskLimits) {
    this.#folder = folder;
    this.#names = new Set(names);
    this.#limits = limits;
  }

  /** Counts printed bytes towards the same limit as files. */
  countBytes(count: number): void {
    this.#bytes += count;
    if (this.#bytes > this.#limits.outputBytes)
      throw new OutputError('The child sent more than its output limit.');
  }

  async startFile(payload: Uint8Array): Promise<void> {
    this.#requireComplete();
    const { output, path, size } = parseFile(payload);
    if (!this.#names.has(output))
      throw new OutputError('The child sent a file for an output that is not there.');
    if (this.#files.length >= this.#limits.outputFiles)
      throw new OutputError('The child sent too many files.');
    const key = `${output}\0${path}`;
    if (this.#seen.has(key)) throw new OutputError('The child sent a file twice.');
    this.#seen.add(key);
    this.countBytes(size);
    if (this.#files.length === 0) await mkdir(this.#folder);
    const hostPath = join(this.#folder, String(this.#files.length));
    this.#current = { handle: await open(hostPath, 'wx', 0o600), missing: size };
    this.#files.push({ output, path, hostPath, size });
    if (size === 0) await this.#closeCurrent();
  }

  async addData(payload: Uint8Array): Promise<void> {
    const current = this.#current;
    if (current === undefined || payload.length > current.missing) {
      throw new OutputError('The child sent more of a file than it announced.');
    }
    await current.handle.writeFile(payload);
    current.missing -= payload.length;
    if (current.missing === 0) await this.#closeCurrent();
  }

  /** All files, once the child has said that there are no more. */
  finish(): TaskOutcome['files'] {
    this.#requireComplete();
    return this.#files;
  }

  async close(): Promise<void> {
    await this.#closeCurrent();
  }

  #requireComplete(): void {
    if (this.#current !== undefined)
      throw new OutputError('The child sent less of a file than it announced.');
  }

  async #closeCurrent(): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    await current?.handle.close();
  }
}

function parseFile(payload: Uint8Array): z.infer<typeof fileSchema> {
  try {
    return fileSchema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload)));
  } catch (error) {
    throw new OutputError('The child announced a file that makes no sense.', { cause: error });
  }
}

/** A relative path of ordinary names: nothing empty, no `.` or `..`, no NUL, neither deep nor long. */
export function isPlainPath(path: string): boolean {
  const names = path.split('/');
  return (
    names.length <= MAX_PATH_DEPTH + 1 &&
    Buffer.byteLength(path) <= MAX_PATH_BYTES &&
    !path.includes('\0') &&
    path.isWellFormed() &&
    names.every(
      (name) => name !== '' && name !== '.' && name !== '..' && Buffer.byteLength(name) <= MAX_NAME_BYTES,
    )
  );
}
