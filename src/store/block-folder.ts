import { mkdir, readdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { BlockFiles } from '../content/ports.ts';
import { syncFile } from './disk-sync.ts';
import { GroupedWork } from './grouped-work.ts';

const EXTENSION = '.data';
/** Folders are named by the end of the ids in them: 1024 at most. */
const SHARD_LENGTH = 2;
const SYNCS_AT_ONCE = 16;

/** Blocks as files, by whole content id: a leaf and a node of the same bytes are two files. */
export class BlockFolder implements BlockFiles {
  readonly #path: string;
  readonly #changed = new Set<string>();
  readonly #folders = new Set<string>();
  readonly #syncingNames = new GroupedWork(() => this.#syncChanged());

  constructor(path: string) {
    this.#path = path;
  }

  async open(): Promise<void> {
    await mkdir(this.#path, { recursive: true, mode: 0o700 });
  }

  async put(cid: string, bytes: Uint8Array): Promise<void> {
    const folder = this.#folderOf(cid);
    await this.#makeFolder(folder);
    await writeFile(this.#fileOf(cid), bytes, { mode: 0o600 });
    this.#changed.add(folder);
  }

  async get(cid: string): Promise<Uint8Array> {
    return await readFile(this.#fileOf(cid));
  }

  delete(cid: string): Promise<void> {
    return unlink(this.#fileOf(cid));
  }

  /** Only what is in its right place: whatever else lies in the folder is not touched. */
  async *list(): AsyncGenerator<string> {
    for (const name of await readdir(this.#path, { recursive: true })) {
      const cid = basename(name, EXTENSION);
      if (join(this.#path, name) === this.#fileOf(cid)) yield cid;
    }
  }

  async sync(cids: readonly string[]): Promise<void> {
    if (cids.length === 0) return;
    for (let at = 0; at < cids.length; at += SYNCS_AT_ONCE) {
      await Promise.all(cids.slice(at, at + SYNCS_AT_ONCE).map((cid) => syncFile(this.#fileOf(cid))));
    }
    await this.#syncingNames.run();
  }

  #folderOf(cid: string): string {
    return join(this.#path, cid.slice(-SHARD_LENGTH));
  }

  #fileOf(cid: string): string {
    return join(this.#folderOf(cid), `${cid}${EXTENSION}`);
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
