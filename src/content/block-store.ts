import type { CID } from 'multiformats/cid';
import { assert } from '../lib/assert.ts';
import { CodedError, codeOf, messageOf } from '../lib/coded-error.ts';
import type { Logger } from '../lib/logger.ts';
import { invalidContent, isBlockOf } from './content-id.ts';
import type { BlockFiles, ContentRecords } from './ports.ts';

export function storeFailed(cause: unknown): CodedError {
  const code = codeOf(cause);
  const data = { cause: code };
  if (code === 'ENOSPC' || code === 'EDQUOT') return diskFull(code, cause);
  const message = `The disk that dataDir is on refused content (${code ?? messageOf(cause)}). Look for write rights and for faults of the disk.`;
  return new CodedError('STORE_FAILED', message, { cause, data });
}

export function diskFull(code: string, cause?: unknown): CodedError {
  const what =
    code === 'EDQUOT' ? 'The disk quota of dataDir is used up' : 'The disk that dataDir is on is full';
  return new CodedError('DISK_FULL', `${what}. Make room there and try again.`, {
    cause,
    data: { cause: code },
  });
}

type InlineBlocks = Pick<ContentRecords, 'isInline' | 'inlineBlock'>;

/** The bytes of blocks, those that are in use, and those that are being thrown away. */
export class BlockStore {
  readonly #files: BlockFiles;
  readonly #records: InlineBlocks;
  readonly #logger: Logger;
  readonly #holds = new Map<string, number>();
  readonly #leaving = new Map<string, Promise<void>>();

  constructor(files: BlockFiles, records: InlineBlocks, logger: Logger) {
    this.#files = files;
    this.#records = records;
    this.#logger = logger;
  }

  async open(): Promise<void> {
    await this.#files.open();
  }

  /** Writes a block as a file. */
  async write(key: string, bytes: Uint8Array): Promise<void> {
    try {
      await this.#files.put(key, bytes);
    } catch (cause) {
      throw storeFailed(cause);
    }
  }

  /** Makes files durable that were written. */
  async sync(keys: readonly string[]): Promise<void> {
    try {
      await this.#files.sync(keys);
    } catch (cause) {
      throw storeFailed(cause);
    }
  }

  /** The bytes of a block, checked. Throws `CONTENT_UNAVAILABLE` or, for bytes that have changed, `CONTENT_INVALID`. */
  async read(cid: CID): Promise<Uint8Array> {
    const key = cid.toString();
    let bytes: Uint8Array | undefined;
    let why: unknown;
    try {
      const isInline = this.#records.isInline(key);
      bytes = isInline ? await this.#records.inlineBlock(key) : await this.#files.get(key);
    } catch (cause) {
      why = cause;
    }
    if (bytes === undefined) {
      throw new CodedError('CONTENT_UNAVAILABLE', `The block ${key} is not here.`, { cause: why });
    }
    if (isBlockOf(cid, bytes)) return bytes;
    throw invalidContent(`The stored block ${key} has changed on the disk.`);
  }

  files(): AsyncIterable<string> {
    return this.#files.list();
  }

  /** While it is held, a block is not thrown away. */
  hold(key: string): void {
    this.#holds.set(key, (this.#holds.get(key) ?? 0) + 1);
  }

  release(key: string): void {
    const holds = this.#holds.get(key);
    assert(holds !== undefined, 'a block is released as often as it was held');
    if (holds > 1) this.#holds.set(key, holds - 1);
    else this.#holds.delete(key);
  }

  isHeld(key: string): boolean {
    return this.#holds.has(key);
  }

  /** Settles when the block is gone, where it is being thrown away. */
  leaving(key: string): Promise<void> | undefined {
    return this.#leaving.get(key);
  }

  /**
   * Throws blocks away once `decided` says so: files are deleted, inline ones went with what was decided. Whoever wants
   * to write one of them again waits for {@link leaving}.
   */
  async remove(keys: readonly string[], decided: Promise<boolean>): Promise<void> {
    const files = keys.filter((key) => !this.#records.isInline(key));
    const removal = decided.then((yes) => (yes ? this.deleteFiles(files) : undefined));
    for (const key of keys) this.#leaving.set(key, removal);
    await removal;
    for (const key of keys) this.#leaving.delete(key);
  }

  /** A file that the disk refuses to delete is counted no more, and swept at the next start. */
  async deleteFiles(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      try {
        await this.#files.delete(key);
      } catch (error) {
        this.#logger.warn('a block could not be deleted', { cid: key, reason: messageOf(error) });
      }
    }
  }
}
