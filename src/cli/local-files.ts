import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { CodedError, codeOf, messageOf } from '../lib/coded-error.ts';

/** All bytes of a file. Throws `FILE_UNREADABLE`. */
export async function readWhole(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
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
  return Readable.toWeb(Readable.from(readAll(path)));
}

async function* readAll(path: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(path)) yield chunk;
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

const REASONS: Readonly<Record<string, string | undefined>> = {
  ENOENT: 'it is not there',
  EISDIR: 'it is a folder',
  EACCES: 'this user may not read it',
};

function unreadable(path: string, cause: unknown): CodedError {
  const reason = REASONS[codeOf(cause) ?? ''] ?? messageOf(cause);
  return new CodedError('FILE_UNREADABLE', `The file ${path} cannot be read: ${reason}.`, { cause });
}
