import type { Startable } from '../lib/startable.ts';
import type { ContentDraft } from './draft.ts';
import type { BlockOrigin, ContentHandler } from './ports.ts';

export { createContentStore } from './content-store.ts';
export type { ContentDraft } from './draft.ts';

export interface TreeEntry {
  /** Relative to the root, with `/`. */
  readonly path: string;
  readonly cid: string;
  readonly size: number;
}

export interface StoredFile {
  readonly size: number;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/**
 * Content-addressed files of this node: UnixFS, raw leaves, CIDv1. Nothing has an id before it is durable.
 * Errors: `QUOTA_EXCEEDED`, `DISK_FULL`, `CONTENT_UNAVAILABLE`, `CONTENT_INVALID`, `CONTENT_TOO_LARGE`, `STORE_FAILED`.
 */
export interface ContentStore extends ContentHandler, Startable {
  put(
    source: Uint8Array | AsyncIterable<Uint8Array>,
    options?: { readonly public?: boolean },
  ): Promise<{ readonly cid: string; readonly size: number }>;
  /** Begins content that is written together with something else. */
  draft(): ContentDraft;
  /** Of the quota, what is free just now: imports and fetches under way count. */
  room(): { readonly freeBytes: number; readonly quotaBytes: number };
  /** Rejects with `DISK_FULL` where the disk has no room for more than the records of this node. */
  requireRoom(): Promise<void>;
  /** Bytes of the whole DAG's files when all of it is here. */
  sizeOf(cid: string): Promise<number | undefined>;
  /** A file, or a file inside a directory by its path; undefined when there is no such file here. */
  open(cid: string, path?: string): Promise<StoredFile | undefined>;
  /** All files below a directory, sorted by path. */
  tree(cid: string): Promise<readonly TreeEntry[]>;
  fetch(
    cid: string,
    from: BlockOrigin,
    maxBytes: number,
    signal: AbortSignal,
    /** Told of each block that came and is the right one. */
    onBlock?: (bytes: number) => void,
  ): Promise<{ readonly bytes: number }>;
  exportFile(cid: string, hostPath: string): Promise<void>;
  importTree(
    entries: readonly {
      readonly path: string;
      readonly source: { readonly hostPath: string } | { readonly bytes: Uint8Array };
    }[],
  ): Promise<{ readonly cid: string; readonly bytes: number }>;
  /** Keeps `cid` from collection for as long as `owner` wants it. */
  pin(cid: string, owner: string): Promise<void>;
  unpin(owner: string): Promise<void>;
}
