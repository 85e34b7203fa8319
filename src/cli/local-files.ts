import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { CodedError, codeOf, messageOf } from '../lib/coded-error.ts';

/** The text of a file. Throws `FILE_UNREADABLE`. */
export async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** The bytes of a regular file, as they are read. Throws `FILE_UNREADABLE`. */
export async function readBytes(path: string): Promise<ReadableStream<Uint8Array>> {
  try {
    if (!(await stat(path)).isFile()) throw new CodedError('FILE_UNREADABLE', `${path} is not a file.`);
  } catch (cause) {
    throw cause instanceof CodedError ? cause : unreadable(path, cause);
  }
  return Readable.toWeb(createReadStream(path));
}

/** What separates folders or streams somewhere, and what a terminal would obey. */
const UNSAFE_CHARACTERS = /[\\:\p{Cc}]/u;

/**
 * Where a file goes below `folder`. The path came from a provider, so it must not lead out of the folder: throws
 * `RESULT_PATH_UNSAFE` where it would.
 */
export function targetBelow(folder: string, path: string): string {
  const parts = path.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..' || UNSAFE_CHARACTERS.test(part))) {
    throw new CodedError('RESULT_PATH_UNSAFE', 'its name is no safe one for a file here.');
  }
  return join(folder, ...parts);
}

/** Writes a file and the folders it is in; what stops halfway is not left behind. Throws `FILE_NOT_WRITTEN`. */
export async function writeFile(target: string, bytes: AsyncIterable<Uint8Array>): Promise<string> {
  try {
    await mkdir(dirname(target), { recursive: true });
    const file = await open(target, 'w');
    try {
      for await (const chunk of bytes) await file.writeFile(chunk);
    } catch (error) {
      await rm(target, { force: true });
      throw error;
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw codeOf(cause) === undefined
      ? cause
      : new CodedError('FILE_NOT_WRITTEN', `${target} cannot be written: ${messageOf(cause)}.`, { cause });
  }
  return target;
}

function unreadable(path: string, cause: unknown): CodedError {
  const reason = codeOf(cause) === 'ENOENT' ? 'it is not there' : messageOf(cause);
  return new CodedError('FILE_UNREADABLE', `The file ${path} cannot be read: ${reason}.`, { cause });
}
