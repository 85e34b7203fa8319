import { LRUCache } from 'lru-cache';
import type { CID } from 'multiformats/cid';

/** Entries of all folders in the cache; the folder that was not used for longest makes room. */
export const MOST_CACHED_ENTRIES = 32_768;

/** What a folder holds, by name. */
export type Folder = ReadonlyMap<string, CID>;

/**
 * The folders that were read last, decoded. Content never changes, and whoever fetches a result of thousands of files
 * asks for one after the other: each time the whole folder would have to be decoded again.
 */
export class FolderCache {
  readonly #folders = new LRUCache<string, Folder>({
    maxSize: MOST_CACHED_ENTRIES,
    sizeCalculation: ({ size }) => size + 1,
  });

  get(cid: string): Folder | undefined {
    return this.#folders.get(cid);
  }

  put(cid: string, folder: Folder): void {
    this.#folders.set(cid, folder);
  }
}
