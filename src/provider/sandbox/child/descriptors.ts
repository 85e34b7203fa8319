import type { DirectoryNode, FileNode } from './file-nodes.ts';
import { ERRNO, WasiError } from './wasi-values.ts';

const MAX_OPEN = 1024;

/** Fills as much of `into` as there is from `position` on; returns how much that was. */
export interface ByteSource {
  read(position: number, into: Uint8Array): number;
}

export interface StdinDescriptor {
  readonly kind: 'stdin';
  readonly source: ByteSource;
  position: number;
}

export interface PrintDescriptor {
  readonly kind: 'print';
  readonly stream: 'stdout' | 'stderr';
}

export interface FileDescriptor {
  readonly kind: 'file';
  readonly file: FileNode;
  readonly readable: boolean;
  readonly writable: boolean;
  /** As it was opened with and as they were set since. */
  flags: number;
  position: number;
}

export interface DirectoryDescriptor {
  readonly kind: 'directory';
  readonly directory: DirectoryNode;
  /** Its absolute path, where the program starts with it open. */
  readonly preopened?: string;
  /** What a listing in progress has seen, so that its positions keep their meaning. */
  listing?: readonly ListedEntry[];
}

export interface ListedEntry {
  readonly name: Uint8Array;
  readonly inode: bigint;
  readonly kind: 'file' | 'directory';
}

export type Descriptor = StdinDescriptor | PrintDescriptor | FileDescriptor | DirectoryDescriptor;

/** The program's open files; the lowest free number is given out first. */
export class DescriptorTable {
  readonly #open: (Descriptor | undefined)[];

  constructor(initial: readonly Descriptor[]) {
    this.#open = [...initial];
  }

  add(descriptor: Descriptor): number {
    const free = this.#open.indexOf(undefined);
    const fd = free < 0 ? this.#open.length : free;
    if (fd >= MAX_OPEN) throw new WasiError(ERRNO.mfile);
    this.#open[fd] = descriptor;
    if (descriptor.kind === 'file') descriptor.file.opened();
    return fd;
  }

  has(fd: number): boolean {
    return this.#open[fd >>> 0] !== undefined;
  }

  get(fd: number): Descriptor {
    const descriptor = this.#open[fd >>> 0];
    if (descriptor === undefined) throw new WasiError(ERRNO.badf);
    return descriptor;
  }

  file(fd: number): FileDescriptor {
    const descriptor = this.get(fd);
    if (descriptor.kind === 'file') return descriptor;
    throw new WasiError(descriptor.kind === 'directory' ? ERRNO.isdir : ERRNO.spipe);
  }

  directory(fd: number): DirectoryDescriptor {
    const descriptor = this.get(fd);
    if (descriptor.kind !== 'directory') throw new WasiError(ERRNO.notdir);
    return descriptor;
  }

  close(fd: number): void {
    const descriptor = this.get(fd);
    this.#open[fd >>> 0] = undefined;
    if (descriptor.kind === 'file') descriptor.file.closed();
  }

  /** Moves `from` to the number `to`, closing what is there. */
  renumber(from: number, to: number): void {
    const descriptor = this.get(from);
    if (from === to) return;
    this.close(to);
    this.#open[to >>> 0] = descriptor;
    this.#open[from >>> 0] = undefined;
  }
}
