import type { BlockFiles } from '../../../src/content/ports.ts';
import { CommitQueue } from '../../../src/store/commit-queue.ts';
import { LevelContentRecords } from '../../../src/store/content-records.ts';
import type { Database, KeyRange, Operation } from '../../../src/store/database.ts';
import { defaultStoreLimits } from '../../../src/store/options.ts';
import { SortedEntries } from '../../simulation/sorted-entries.ts';

/** A database whose batches are on disk at once. */
export class ImmediateDatabase implements Database {
  readonly #entries = new SortedEntries();

  get(key: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#entries.get(key));
  }

  lacks(key: string): boolean {
    return this.#entries.get(key) === undefined;
  }

  batch(operations: readonly Operation[]): Promise<void> {
    this.#entries.apply(operations);
    return Promise.resolve();
  }

  async *range(range: KeyRange): AsyncGenerator<readonly [string, Uint8Array]> {
    yield* this.#entries.slice(range);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

class MemoryBlockFiles implements BlockFiles {
  readonly #blocks = new Map<string, Uint8Array>();

  open(): Promise<void> {
    return Promise.resolve();
  }

  put(cid: string, bytes: Uint8Array): Promise<void> {
    this.#blocks.set(cid, bytes.slice());
    return Promise.resolve();
  }

  get(cid: string): Promise<Uint8Array> {
    const bytes = this.#blocks.get(cid);
    return bytes === undefined ? Promise.reject(new Error('ENOENT')) : Promise.resolve(bytes);
  }

  delete(cid: string): Promise<void> {
    this.#blocks.delete(cid);
    return Promise.resolve();
  }

  async *list(): AsyncGenerator<string> {
    yield* this.#blocks.keys();
  }

  sync(): Promise<void> {
    return Promise.resolve();
  }

  ids(): readonly string[] {
    return [...this.#blocks.keys()];
  }
}

/** What content needs of a store, in memory. It outlives the stores that use it. */
export class ContentDisk {
  readonly database = new ImmediateDatabase();
  readonly files = new MemoryBlockFiles();

  /** As a start finds them. */
  async records(): Promise<LevelContentRecords> {
    const queue = new CommitQueue(defaultStoreLimits, {
      database: this.database,
      gather: queueMicrotask,
      onFailure: () => {},
    });
    const records = new LevelContentRecords(this.database, queue);
    await records.load();
    return records;
  }

  /** Every block that is there, wherever it is. */
  async blocks(): Promise<ReadonlyMap<string, Uint8Array>> {
    const found = new Map<string, Uint8Array>();
    for await (const [key, bytes] of this.database.range({ gte: 'content-block!', lt: 'content-block"' })) {
      found.set(key.slice('content-block!'.length), bytes);
    }
    for (const cid of this.files.ids()) found.set(cid, await this.files.get(cid));
    return found;
  }
}
