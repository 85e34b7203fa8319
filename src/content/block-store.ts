import type { CID } from 'multiformats/cid';
import { assert } from '../lib/assert.ts';
import { CodedError, codeOf, messageOf } from '../lib/coded-error.ts';
import type { Logger } from '../lib/logger.ts';
import type { BlockShelf } from './block-folder.ts';
import { invalidContent, isBlockOf } from './content-id.ts';

async function joined(parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of parts) chunks.push(chunk);
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
}

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

/** Blocks on the shelf, those that are in use, and those that are being thrown away. */
export class BlockStore {
  readonly #shelf: BlockShelf;
  readonly #logger: Logger;
  readonly #holds = new Map<string, number>();
  readonly #leaving = new Map<string, Promise<void>>();

  constructor(shelf: BlockShelf, logger: Logger) {
    this.#shelf = shelf;
    this.#logger = logger;
  }

  async open(): Promise<void> {
    await this.#shelf.open?.();
  }

  async write(cid: CID, bytes: Uint8Array): Promise<void> {
    try {
      await this.#shelf.put(cid, bytes);
    } catch (cause) {
      throw storeFailed(cause);
    }
  }

  /** Makes blocks durable that were written. */
  async sync(cids: readonly CID[]): Promise<void> {
    try {
      await this.#shelf.sync?.(cids);
    } catch (cause) {
      throw storeFailed(cause);
    }
  }

  /** The bytes of a block, checked. Throws `CONTENT_UNAVAILABLE` or, for bytes that have changed, `CONTENT_INVALID`. */
  async read(cid: CID): Promise<Uint8Array> {
    let bytes: Uint8Array;
    try {
      bytes = await joined(this.#shelf.get(cid));
    } catch (cause) {
      throw new CodedError('CONTENT_UNAVAILABLE', `The block ${cid.toString()} is not here.`, { cause });
    }
    if (isBlockOf(cid, bytes)) return bytes;
    throw invalidContent(`The stored block ${cid.toString()} has changed on the disk.`);
  }

  all(): Iterable<{ readonly cid: CID }> | AsyncIterable<{ readonly cid: CID }> {
    return this.#shelf.getAll();
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
   * Throws blocks away once `decided` says so. Whoever wants to write one of them again waits for {@link leaving}.
   * What the disk refuses to delete is counted no more, and swept at the next start.
   */
  async remove(cids: readonly CID[], decided: Promise<boolean>): Promise<void> {
    const removal = decided.then(async (yes) => {
      if (!yes) return;
      for (const cid of cids) await this.#delete(cid);
    });
    for (const cid of cids) this.#leaving.set(cid.toString(), removal);
    await removal;
    for (const cid of cids) this.#leaving.delete(cid.toString());
  }

  async #delete(cid: CID): Promise<void> {
    try {
      await this.#shelf.delete(cid);
    } catch (error) {
      this.#logger.warn('a block could not be deleted', { cid: cid.toString(), reason: messageOf(error) });
    }
  }
}
