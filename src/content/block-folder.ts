import { mkdir, readdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { CID } from 'multiformats/cid';
import { parseContentId } from './content-id.ts';
import { syncFile } from './disk-sync.ts';
import { GroupedWork } from './grouped-work.ts';

/** The part of a blockstore that is used here; the memory blockstore of `blockstore-core` is one, too. */
export interface BlockShelf {
  open?(): Promise<void>;
  put(cid: CID, bytes: Uint8Array): unknown;
  get(cid: CID): Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  delete(cid: CID): unknown;
  getAll(): Iterable<{ readonly cid: CID }> | AsyncIterable<{ readonly cid: CID }>;
  /** Makes blocks durable that were put; where it is missing, `put` alone does. */
  sync?(cids: readonly CID[]): Promise<void>;
}

const EXTENSION = '.data';
/** Folders are named by the end of the ids in them: 1024 at most. */
const SHARD_LENGTH = 2;
const SYNCS_AT_ONCE = 16;

/**
 * Blocks as files, by whole content id: a leaf and a node of the same bytes are two files. A block is synced not
 * when it is put but in {@link sync}, many together: until then it belongs to no object, and what a crash leaves
 * of it is swept.
 */
export class BlockFolder implements BlockShelf {
  readonly #path: string;
  readonly #changed = new Set<string>();
  readonly #folders = new Set<string>();
  readonly #syncingNames = new GroupedWork(() => this.#syncChanged());

  constructor(path: string) {
    this.#path = path;
  }

  async open(): Promise<void> {
    await mkdir(this.#path, { recursive: true });
  }

  async put(cid: CID, bytes: Uint8Array): Promise<void> {
    const folder = this.#folderOf(cid);
    await this.#makeFolder(folder);
    await writeFile(this.#fileOf(cid), bytes, { mode: 0o600 });
    this.#changed.add(folder);
  }

  async *get(cid: CID): AsyncGenerator<Uint8Array> {
    yield await readFile(this.#fileOf(cid));
  }

  delete(cid: CID): Promise<void> {
    return unlink(this.#fileOf(cid));
  }

  /** Only what is in its right place: whatever else lies in the folder is not touched. */
  async *getAll(): AsyncGenerator<{ readonly cid: CID }> {
    for (const name of await readdir(this.#path, { recursive: true })) {
      const cid = parseContentId(basename(name, EXTENSION));
      if (cid !== undefined && join(this.#path, name) === this.#fileOf(cid)) yield { cid };
    }
  }

  async sync(cids: readonly CID[]): Promise<void> {
    for (let at = 0; at < cids.length; at += SYNCS_AT_ONCE) {
      await Promise.all(cids.slice(at, at + SYNCS_AT_ONCE).map((cid) => syncFile(this.#fileOf(cid))));
    }
    await this.#syncingNames.run();
  }

  #folderOf(cid: CID): string {
    return join(this.#path, cid.toString().slice(-SHARD_LENGTH));
  }

  #fileOf(cid: CID): string {
    return join(this.#folderOf(cid), `${cid.toString()}${EXTENSION}`);
  }

  async #makeFolder(folder: string): Promise<void> {
    if (this.#folders.has(folder)) return;
    await mkdir(folder, { recursive: true });
    this.#folders.add(folder);
    this.#changed.add(this.#path);
  }

  async #syncChanged(): Promise<void> {
    const folders = [...this.#changed];
    this.#changed.clear();
    try {
      await Promise.all(folders.map(syncFile));
    } catch (error) {
      for (const folder of folders) this.#changed.add(folder);
      throw error;
    }
  }
}
