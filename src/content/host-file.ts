import { constants } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { CodedError, codeOf } from '../lib/coded-error.ts';
import { storeFailed } from './block-store.ts';
import { invalidContent } from './content-id.ts';

const READ_BYTES = 256 * 1024;

async function openRegular(path: string): Promise<FileHandle> {
  // Without O_NONBLOCK, opening a pipe that somebody put there would wait for its writer.
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw invalidContent(`${path} is no regular file.`);
}

/** The bytes of a regular file of this machine, as they are read. Throws `CONTENT_INVALID` for links and devices. */
export async function* readHostFile(path: string): AsyncGenerator<Uint8Array> {
  const handle = await openRegular(path).catch((error: unknown) => {
    if (error instanceof CodedError) throw error;
    throw invalidContent(`${path} cannot be read as a regular file.`, error);
  });
  try {
    for (;;) {
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(READ_BYTES), 0, READ_BYTES);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/** Writes a file that must not be there yet; what was written is taken away again when `bytes` fails. */
export async function writeHostFile(path: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  let handle: FileHandle;
  try {
    handle = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  } catch (cause) {
    throw storeFailed(cause);
  }
  try {
    for await (const chunk of bytes) await handle.appendFile(chunk);
  } catch (error) {
    await handle.close();
    await unlink(path);
    throw codeOf(error)?.startsWith('E') === true ? storeFailed(error) : error;
  }
  await handle.close();
}
