import { programEngines } from '../engines/registry.ts';
import { CodedError, messageOf } from '../lib/coded-error.ts';
import type { InputStream } from './environment.ts';

/** Of a program or a job description; what a program reads is passed on as it comes. */
const MOST_PROGRAM_BYTES = 64 * 1024 * 1024;

/** All of it, up to a bound. Throws `STDIN_UNREADABLE`, `STDIN_TOO_LARGE`, or the reason of `signal`. */
export async function readStandardInput(stdin: InputStream, signal?: AbortSignal): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  const left = new Promise<never>((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  left.catch(() => undefined);
  const iterator = stdin.bytes()[Symbol.asyncIterator]();
  for (;;) {
    const next = await Promise.race([nextOf(iterator), left]);
    if (next.done === true) return Buffer.concat(chunks, sizeBytes);
    sizeBytes += next.value.length;
    if (sizeBytes > MOST_PROGRAM_BYTES) {
      throw new CodedError(
        'STDIN_TOO_LARGE',
        `A program or a job description from standard input has at most ${MOST_PROGRAM_BYTES} bytes: put it into a file.`,
      );
    }
    chunks.push(next.value);
  }
}

async function nextOf(iterator: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array>> {
  try {
    return await iterator.next();
  } catch (cause) {
    throw new CodedError('STDIN_UNREADABLE', `Standard input cannot be read: ${messageOf(cause)}.`, {
      cause,
    });
  }
}

const LOOKED_AT_BYTES = 64 * 1024;

/**
 * What came without a name to tell it by: a program of an engine whose programs have first bytes of their own by these,
 * a job description where a line begins with the one key that each has (or where it is JSON), and else a program of the
 * engine whose programs are text, such as Python scripts, of which no line begins so. Undefined for a description.
 */
export function engineOfBytes(bytes: Uint8Array): string | undefined {
  const marked = programEngines.find(({ shortcut: { startsWith } }) => isMarkedBy(startsWith, bytes));
  if (marked !== undefined) return marked.type;
  const text = new TextDecoder().decode(bytes.subarray(0, LOOKED_AT_BYTES));
  const described = /^\s*\{\s*["}]/.test(text) || /^(?:engine|"engine"|'engine')\s*:(?:\s|$)/m.test(text);
  const plain = programEngines.find(({ shortcut }) => shortcut.startsWith === 'text');
  return described ? undefined : plain?.type;
}

function isMarkedBy(mark: Uint8Array | 'text', bytes: Uint8Array): boolean {
  return mark !== 'text' && mark.every((byte, index) => bytes[index] === byte);
}
