import { MAX_NAME_BYTES, MAX_PATH_BYTES, MAX_PATH_DEPTH } from '../../../domain/program/path-bounds.ts';
import {
  type DirectoryNode,
  type FileNode,
  MemoryFile,
  type NodeTimes,
  type TreeNode,
} from './file-nodes.ts';
import type { OutputQuota } from './output-quota.ts';
import type { PageStore } from './page-store.ts';
import { ERRNO, WasiError } from './wasi-values.ts';

/** A name in a folder, whether something has it or not. */
interface Place {
  readonly directory: DirectoryNode;
  readonly name: string;
  readonly node: TreeNode | undefined;
  /** The path ended in a slash, so only a folder will do. */
  readonly wantsDirectory: boolean;
}

/**
 * The whole file system of one program, in memory. There are no links of any kind, so a path has one meaning
 * and nothing in here leads out of it; a path that climbs above the folder it starts from is refused.
 */
export class FileTree {
  readonly root: DirectoryNode;
  readonly #store: PageStore;
  readonly #quota: OutputQuota;
  readonly #nowNs: () => bigint;
  #lastInode = 0n;

  constructor(store: PageStore, quota: OutputQuota, nowNs: () => bigint) {
    this.#store = store;
    this.#quota = quota;
    this.#nowNs = nowNs;
    this.root = this.#newDirectory(undefined, { writable: true, given: true });
  }

  nextInode(): bigint {
    this.#lastInode += 1n;
    return this.#lastInode;
  }

  times(): NodeTimes {
    const now = this.#nowNs();
    return { atimeNs: now, mtimeNs: now };
  }

  /** Makes a folder and those above it while the tree is being set up; that counts for nothing. */
  place(path: string, writable: boolean): DirectoryNode {
    const names = path.split('/').filter((name) => name !== '');
    let directory = this.root;
    for (const [index, name] of names.entries()) {
      const found = directory.entries.get(name);
      if (found?.kind === 'file') throw new WasiError(ERRNO.notdir);
      if (found === undefined) {
        const last = index === names.length - 1;
        const inherits = directory !== this.root && directory.writable;
        directory = this.placeBelow(directory, name, inherits || (writable && last));
      } else directory = found;
    }
    return directory;
  }

  find(base: DirectoryNode, path: string): TreeNode {
    const steps = stepsOf(path);
    if (endsInFolder(steps)) return walk(base, steps);
    const place = this.#locate(base, path);
    if (place.node === undefined) throw new WasiError(ERRNO.noent);
    return place.node;
  }

  placeBelow(parent: DirectoryNode, name: string, writable: boolean): DirectoryNode {
    const made = this.#newDirectory(parent, { writable, given: true });
    parent.entries.set(name, made);
    return made;
  }

  /** The file or folder at `path`, made as an empty file where it is missing and `create` says so. */
  open(base: DirectoryNode, path: string, options: { create: boolean; exclusive: boolean }): TreeNode {
    if (!options.create || endsInFolder(stepsOf(path))) return this.find(base, path);
    const place = this.#locate(base, path);
    if (place.node !== undefined) {
      if (options.exclusive) throw new WasiError(ERRNO.exist);
      return place.node;
    }
    if (place.wantsDirectory) throw new WasiError(ERRNO.isdir);
    requireWritable(place.directory);
    this.#quota.addEntries(1);
    const file = new MemoryFile(this.nextInode(), this.times(), this.#store, this.#quota);
    this.#set(place, file);
    return file;
  }

  createDirectory(base: DirectoryNode, path: string): void {
    const place = this.#locate(base, path);
    if (place.node !== undefined) throw new WasiError(ERRNO.exist);
    requireWritable(place.directory);
    if (depthOf(place.directory) + 1 > MAX_PATH_DEPTH) throw new WasiError(ERRNO.nametoolong);
    this.#quota.addEntries(1);
    this.#set(place, this.#newDirectory(place.directory, { writable: true, given: false }));
  }

  unlinkFile(base: DirectoryNode, path: string): void {
    const place = this.#locate(base, path);
    if (place.node === undefined) throw new WasiError(ERRNO.noent);
    if (place.node.kind === 'directory') throw new WasiError(ERRNO.isdir);
    if (place.wantsDirectory) throw new WasiError(ERRNO.notdir);
    requireRemovable(place.directory, place.node);
    this.#remove(place, place.node);
  }

  removeDirectory(base: DirectoryNode, path: string): void {
    const place = this.#locate(base, path);
    if (place.node === undefined) throw new WasiError(ERRNO.noent);
    if (place.node.kind !== 'directory') throw new WasiError(ERRNO.notdir);
    requireRemovable(place.directory, place.node);
    if (place.node.entries.size > 0) throw new WasiError(ERRNO.notempty);
    this.#remove(place, place.node);
  }

  rename(fromBase: DirectoryNode, fromPath: string, toBase: DirectoryNode, toPath: string): void {
    const from = this.#locate(fromBase, fromPath);
    const to = this.#locate(toBase, toPath);
    const moved = from.node;
    if (moved === undefined) throw new WasiError(ERRNO.noent);
    requireRemovable(from.directory, moved);
    requireWritable(to.directory);
    if (moved === to.node) return;
    if (moved.kind === 'directory') requireRoom(moved, to.directory);
    else if (to.wantsDirectory) throw new WasiError(ERRNO.notdir);
    if (to.node !== undefined) {
      requireReplaceable(moved, to.node);
      requireRemovable(to.directory, to.node);
      this.#remove(to, to.node);
    }
    from.directory.entries.delete(from.name);
    from.directory.times.mtimeNs = this.#nowNs();
    if (moved.kind === 'directory') moved.parent = to.directory;
    this.#set(to, moved);
  }

  #locate(base: DirectoryNode, path: string): Place {
    const names = namesOf(path);
    const wantsDirectory = names.at(-1) === '' || names.at(-1) === '.';
    const steps = names.filter((name) => name !== '' && name !== '.');
    const last = steps.pop();
    if (last === undefined || last === '..') throw new WasiError(ERRNO.inval);
    const directory = walk(base, steps);
    const node = directory.entries.get(last);
    if (wantsDirectory && node?.kind === 'file') throw new WasiError(ERRNO.notdir);
    return { directory, name: last, node, wantsDirectory };
  }

  #newDirectory(
    parent: DirectoryNode | undefined,
    kept: { readonly writable: boolean; readonly given: boolean },
  ): DirectoryNode {
    return {
      kind: 'directory',
      inode: this.nextInode(),
      times: this.times(),
      ...kept,
      entries: new Map(),
      parent,
    };
  }

  #set(place: Place, node: TreeNode): void {
    place.directory.entries.set(place.name, node);
    place.directory.times.mtimeNs = this.#nowNs();
  }

  #remove(place: Place, node: TreeNode): void {
    place.directory.entries.delete(place.name);
    place.directory.times.mtimeNs = this.#nowNs();
    this.#quota.addEntries(-1);
    if (node.kind === 'file') node.unlinked();
    else node.parent = undefined;
  }
}

/** Every file below a folder with its path from there; another output below it is left to itself. */
export function* filesBelow(
  top: DirectoryNode,
  isOther: (directory: DirectoryNode) => boolean,
): Generator<{ path: string; file: FileNode }> {
  const waiting: { directory: DirectoryNode; path: string }[] = [{ directory: top, path: '' }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const [name, node] of next.directory.entries) {
      const path = next.path === '' ? name : `${next.path}/${name}`;
      if (node.kind === 'file') yield { path, file: node };
      else if (!isOther(node)) waiting.push({ directory: node, path });
    }
  }
}

/** The names in a path. Refuses what no folder in here could hold. */
function namesOf(path: string): string[] {
  if (path === '') throw new WasiError(ERRNO.noent);
  if (path.startsWith('/')) throw new WasiError(ERRNO.notcapable);
  if (path.includes('\0')) throw new WasiError(ERRNO.ilseq);
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw new WasiError(ERRNO.nametoolong);
  const names = path.split('/');
  if (names.some((name) => Buffer.byteLength(name) > MAX_NAME_BYTES)) throw new WasiError(ERRNO.nametoolong);
  return names;
}

function stepsOf(path: string): string[] {
  return namesOf(path).filter((name) => name !== '' && name !== '.');
}

/** Such a path names a folder that is there, and no place for anything new. */
function endsInFolder(steps: readonly string[]): boolean {
  return steps.length === 0 || steps.at(-1) === '..';
}

function walk(base: DirectoryNode, steps: readonly string[]): DirectoryNode {
  const trail = [base];
  for (const step of steps) {
    if (step === '..') {
      trail.pop();
      if (trail.length === 0) throw new WasiError(ERRNO.notcapable);
      continue;
    }
    const next = trail.at(-1)?.entries.get(step);
    if (next === undefined) throw new WasiError(ERRNO.noent);
    if (next.kind !== 'directory') throw new WasiError(ERRNO.notdir);
    trail.push(next);
  }
  return trail.at(-1) ?? base;
}

function requireWritable(directory: DirectoryNode): void {
  if (!directory.writable) throw new WasiError(ERRNO.rofs);
  // A folder that was removed while it was open takes nothing new, or its contents would escape the count.
  if (directory.parent === undefined && !directory.given) throw new WasiError(ERRNO.noent);
}

/** Inputs and the folders the program was given stay where they are. */
function requireRemovable(directory: DirectoryNode, node: TreeNode): void {
  requireWritable(directory);
  const stays = node.kind === 'directory' && (node.given || holdsReadOnly(node));
  if (!node.writable || stays) throw new WasiError(ERRNO.rofs);
}

function holdsReadOnly(directory: DirectoryNode): boolean {
  return [...filesBelow(directory, () => false)].some(({ file }) => !file.writable);
}

function requireReplaceable(moved: TreeNode, target: TreeNode): void {
  if (target.kind === 'directory') {
    if (moved.kind !== 'directory') throw new WasiError(ERRNO.isdir);
    if (target.entries.size > 0) throw new WasiError(ERRNO.notempty);
  } else if (moved.kind === 'directory') throw new WasiError(ERRNO.notdir);
}

function requireRoom(moved: DirectoryNode, target: DirectoryNode): void {
  for (let above: DirectoryNode | undefined = target; above !== undefined; above = above.parent) {
    if (above === moved) throw new WasiError(ERRNO.inval);
  }
  if (depthOf(target) + heightOf(moved) > MAX_PATH_DEPTH) throw new WasiError(ERRNO.nametoolong);
}

function depthOf(directory: DirectoryNode): number {
  let depth = 0;
  for (let above = directory.parent; above !== undefined; above = above.parent) depth += 1;
  return depth;
}

function heightOf(directory: DirectoryNode): number {
  let height = 0;
  let level: DirectoryNode[] = [directory];
  while (level.length > 0) {
    height += 1;
    level = level.flatMap((one) => [...one.entries.values()].filter((node) => node.kind === 'directory'));
  }
  return height;
}
