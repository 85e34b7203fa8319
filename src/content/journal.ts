import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CodedError, codeOf } from '../lib/coded-error.ts';
import { syncFile } from './disk-sync.ts';

/** Lines that survive a restart, in the order they were written. */
export interface ContentJournal {
  load(): Promise<readonly string[]>;
  /** Resolves when the lines are durable; after a rejection none of them counts. */
  append(lines: readonly string[]): Promise<void>;
  /** Puts `lines` in the place of everything, in one step. */
  replace(lines: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** A journal that lives as long as the object itself: for simulations, which hand it to the next incarnation. */
export function createMemoryJournal(): ContentJournal {
  let kept: readonly string[] = [];
  return {
    load: async () => kept,
    append: async (lines) => {
      kept = [...kept, ...lines];
    },
    replace: async (lines) => {
      kept = [...lines];
    },
    close: async () => {},
  };
}

const CHECKSUM_LENGTH = 16;

function checksumOf(line: string): string {
  return createHash('sha256').update(line).digest('hex').slice(0, CHECKSUM_LENGTH);
}

function encodeLines(lines: readonly string[]): Uint8Array {
  return Buffer.from(lines.map((line) => `${checksumOf(line)} ${line}\n`).join(''));
}

function decodeLine(text: string): readonly string[] {
  const line = text.slice(CHECKSUM_LENGTH + 1);
  return text.slice(0, CHECKSUM_LENGTH) === checksumOf(line) ? [line] : [];
}

/** A file of checksummed lines. A line that a crash cut short is forgotten: it was never acknowledged. */
export class FileJournal implements ContentJournal {
  readonly #path: string;
  #handle: FileHandle | undefined;
  #length = 0;
  #broken = false;

  constructor(path: string) {
    this.#path = path;
  }

  async load(): Promise<readonly string[]> {
    await mkdir(dirname(this.#path), { recursive: true });
    const bytes = await readFile(this.#path).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return new Uint8Array();
      throw error;
    });
    await this.#reopen();
    this.#length = bytes.lastIndexOf('\n'.charCodeAt(0)) + 1;
    if (this.#length < bytes.length) await this.#opened().truncate(this.#length);
    const text = Buffer.from(bytes.subarray(0, this.#length)).toString();
    return text.split('\n').flatMap((line) => (line === '' ? [] : decodeLine(line)));
  }

  async append(lines: readonly string[]): Promise<void> {
    const handle = this.#opened();
    const bytes = encodeLines(lines);
    try {
      await handle.appendFile(bytes);
      await handle.datasync();
    } catch (cause) {
      await this.#takeBack(handle);
      throw cause;
    }
    this.#length += bytes.length;
  }

  async replace(lines: readonly string[]): Promise<void> {
    const next = `${this.#path}.next`;
    const bytes = encodeLines(lines);
    await writeFile(next, bytes, { mode: 0o600, flush: true });
    // Between the rename and the new handle, an append would go to the file that is gone.
    this.#broken = true;
    await rename(next, this.#path);
    await this.#reopen();
    this.#length = bytes.length;
    this.#broken = false;
  }

  async close(): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
  }

  async #reopen(): Promise<void> {
    await this.close();
    this.#handle = await open(this.#path, 'a', 0o600);
    await syncFile(dirname(this.#path));
  }

  #opened(): FileHandle {
    if (this.#handle !== undefined && !this.#broken) return this.#handle;
    throw new CodedError('STORE_FAILED', 'The journal of the content store cannot be written.');
  }

  /** A failed append must not leave half a line in front of the next one. */
  async #takeBack(handle: FileHandle): Promise<void> {
    try {
      await handle.truncate(this.#length);
    } catch {
      this.#broken = true;
    }
  }
}
