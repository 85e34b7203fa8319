import { closeSync, constants, openSync, readSync } from 'node:fs';
import type { OutputQuota } from './output-quota.ts';
import { PagedContent, type PageStore } from './page-store.ts';
import { ERRNO, WasiError } from './wasi-values.ts';

export interface NodeTimes {
  atimeNs: bigint;
  mtimeNs: bigint;
}

interface NodeBase {
  readonly inode: bigint;
  readonly times: NodeTimes;
}

/** A folder in memory. A read-only one takes no new names and gives none up. */
export interface DirectoryNode extends NodeBase {
  readonly kind: 'directory';
  readonly writable: boolean;
  /** It was there before the program, which cannot move or remove it. */
  readonly given: boolean;
  readonly entries: Map<string, TreeNode>;
  parent: DirectoryNode | undefined;
}

/** What the program sees as a regular file. */
export interface FileNode extends NodeBase {
  readonly kind: 'file';
  readonly writable: boolean;
  readonly size: number;
  /** Fills as much of `into` as the file has from `position` on; returns how much that was. */
  read(position: number, into: Uint8Array): number;
  write(position: number, bytes: Uint8Array): void;
  resize(size: number): void;
  opened(): void;
  closed(): void;
  /** It has lost its name; its room is given back once nobody has it open. */
  unlinked(): void;
}

export type TreeNode = DirectoryNode | FileNode;

/** A file the program made. Its size counts towards the quota from the moment it grows. */
export class MemoryFile implements FileNode {
  readonly kind = 'file';
  readonly writable = true;
  readonly inode: bigint;
  readonly times: NodeTimes;
  readonly #content: PagedContent;
  readonly #quota: OutputQuota;
  #size = 0;
  #openCount = 0;
  #linked = true;

  constructor(inode: bigint, times: NodeTimes, store: PageStore, quota: OutputQuota) {
    this.inode = inode;
    this.times = times;
    this.#content = new PagedContent(store);
    this.#quota = quota;
  }

  get size(): number {
    return this.#size;
  }

  read(position: number, into: Uint8Array): number {
    const length = Math.max(0, Math.min(into.length, this.#size - position));
    this.#content.read(position, into.subarray(0, length));
    return length;
  }

  write(position: number, bytes: Uint8Array): void {
    const end = position + bytes.length;
    if (end > this.#size) {
      this.#quota.addBytes(end - this.#size);
      this.#size = end;
    }
    this.#content.write(position, bytes);
  }

  resize(size: number): void {
    this.#quota.addBytes(size - this.#size);
    if (size < this.#size) this.#content.truncate(size);
    this.#size = size;
  }

  opened(): void {
    this.#openCount += 1;
  }

  closed(): void {
    this.#openCount -= 1;
    this.#freeWhenGone();
  }

  unlinked(): void {
    this.#linked = false;
    this.#freeWhenGone();
  }

  #freeWhenGone(): void {
    if (!this.#linked && this.#openCount === 0) this.resize(0);
  }
}

/** An input: read from the host's file on demand, through a descriptor that can only read. */
export class InputFile implements FileNode {
  readonly kind = 'file';
  readonly writable = false;
  readonly inode: bigint;
  readonly times: NodeTimes;
  readonly size: number;
  readonly #path: string;
  #fd: number | undefined;
  #openCount = 0;

  constructor(inode: bigint, times: NodeTimes, path: string, size: number) {
    this.inode = inode;
    this.times = times;
    this.#path = path;
    this.size = size;
  }

  read(position: number, into: Uint8Array): number {
    if (this.#fd === undefined) throw new WasiError(ERRNO.badf);
    const length = Math.max(0, Math.min(into.length, this.size - position));
    return length === 0 ? 0 : readSync(this.#fd, into, 0, length, position);
  }

  write(): void {
    throw new WasiError(ERRNO.rofs);
  }

  resize(): void {
    throw new WasiError(ERRNO.rofs);
  }

  opened(): void {
    this.#fd ??= openSync(this.#path, constants.O_RDONLY | constants.O_NOFOLLOW);
    this.#openCount += 1;
  }

  closed(): void {
    this.#openCount -= 1;
    if (this.#openCount > 0 || this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
  }

  unlinked(): void {
    throw new WasiError(ERRNO.rofs);
  }
}
