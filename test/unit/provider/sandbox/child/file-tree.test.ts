import { describe, expect, it } from 'vitest';
import type { DirectoryNode, FileNode } from '../../../../../src/provider/sandbox/child/file-nodes.ts';
import { FileTree, filesBelow } from '../../../../../src/provider/sandbox/child/file-tree.ts';
import { OutputQuota } from '../../../../../src/provider/sandbox/child/output-quota.ts';
import { PageStore } from '../../../../../src/provider/sandbox/child/page-store.ts';
import { ERRNO } from '../../../../../src/provider/sandbox/child/wasi-values.ts';

class Ended extends Error {}

interface Fixture {
  readonly tree: FileTree;
  readonly out: DirectoryNode;
  readonly file: (path: string, size?: number) => FileNode;
}

function fixture(outputBytes = 1000, outputFiles = 10): Fixture {
  const quota = new OutputQuota({ outputBytes, outputFiles }, ({ exitReason }) => {
    throw new Ended(exitReason);
  });
  const tree = new FileTree(new PageStore(1_000_000, -1), quota, () => 1n);
  const out = tree.place('/out', true);
  return {
    tree,
    out,
    file: (path, size = 0) => {
      const node = tree.open(out, path, { create: true, exclusive: false });
      if (node.kind !== 'file') throw new Error('not a file');
      if (size > 0) node.write(0, new Uint8Array(size));
      return node;
    },
  };
}

/** The number of the error that `call` ends with. */
function errnoOf(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error instanceof Error && 'errno' in error ? error.errno : error;
  }
  return ERRNO.success;
}

describe('the file tree', () => {
  it('never leads out of the folder a path starts from', () => {
    const { tree, out } = fixture();
    expect(errnoOf(() => tree.find(out, '..'))).toBe(ERRNO.notcapable);
    expect(errnoOf(() => tree.find(out, 'a/../..'))).toBe(ERRNO.noent);
    expect(errnoOf(() => tree.find(tree.root, 'out/../../out'))).toBe(ERRNO.notcapable);
    expect(errnoOf(() => tree.find(tree.root, '/out'))).toBe(ERRNO.notcapable);
    expect(tree.find(tree.root, 'out/../out/.')).toBe(out);
    expect(tree.find(tree.root, 'out/..')).toBe(tree.root);
  });

  it('refuses names that no folder could hold', () => {
    const { file } = fixture();
    expect(errnoOf(() => file('a\0b'))).toBe(ERRNO.ilseq);
    expect(errnoOf(() => file('x'.repeat(256)))).toBe(ERRNO.nametoolong);
    expect(errnoOf(() => file('x/'.repeat(3000)))).toBe(ERRNO.nametoolong);
    expect(errnoOf(() => file(''))).toBe(ERRNO.noent);
    expect(errnoOf(() => file('a/'))).toBe(ERRNO.isdir);
  });

  it('bounds the depth of folders, also of those that are moved', () => {
    const { tree, out } = fixture(1000, 200);
    const make = (top: string, depth: number): void => {
      for (let level = 1; level <= depth; level += 1) {
        tree.createDirectory(out, Array.from({ length: level }, () => top).join('/'));
      }
    };
    make('a', 40);
    make('b', 40);
    const deepest = Array.from({ length: 40 }, () => 'a').join('/');
    expect(errnoOf(() => tree.rename(out, 'b', out, `${deepest}/b`))).toBe(ERRNO.nametoolong);
    expect(errnoOf(() => make('c', 80))).toBe(ERRNO.nametoolong);
  });

  it('counts bytes as files grow and gives them back when they are gone', () => {
    const { tree, out, file } = fixture(1000);
    file('a', 600);
    expect(() => file('b', 401)).toThrow(Ended);
    file('a').resize(100);
    file('b', 900);
    tree.unlinkFile(out, 'b');
    file('c', 900);
    expect(() => file('a', 101)).toThrow(Ended);
  });

  it('counts a file that is removed while it is open until it is closed', () => {
    const { tree, out, file } = fixture(1000);
    const open = file('a', 1000);
    open.opened();
    tree.unlinkFile(out, 'a');
    expect(() => file('b', 1)).toThrow(Ended);
    open.closed();
    file('b', 1000);
  });

  it('counts files and folders', () => {
    const { tree, out, file } = fixture(1000, 2);
    file('a');
    tree.createDirectory(out, 'd');
    expect(() => file('b')).toThrow(Ended);
    tree.removeDirectory(out, 'd');
    file('b');
    tree.rename(out, 'a', out, 'b');
    file('c');
    expect(() => tree.createDirectory(out, 'd')).toThrow(Ended);
  });

  it('takes nothing new in a folder that is gone', () => {
    const { tree, out } = fixture();
    tree.createDirectory(out, 'd');
    const gone = tree.find(out, 'd');
    tree.removeDirectory(out, 'd');
    if (gone.kind !== 'directory') throw new Error('not a folder');
    expect(errnoOf(() => tree.open(gone, 'a', { create: true, exclusive: false }))).toBe(ERRNO.noent);
  });

  it('renames as POSIX does', () => {
    const { tree, out, file } = fixture();
    const moved = file('a', 3);
    file('b', 5);
    tree.createDirectory(out, 'd');
    tree.createDirectory(out, 'd/e');
    tree.rename(out, 'a', out, 'b');
    expect(tree.find(out, 'b')).toBe(moved);
    expect(errnoOf(() => tree.find(out, 'a'))).toBe(ERRNO.noent);
    expect(errnoOf(() => tree.rename(out, 'd', out, 'd/e/f'))).toBe(ERRNO.inval);
    expect(errnoOf(() => tree.rename(out, 'b', out, 'd'))).toBe(ERRNO.isdir);
    expect(errnoOf(() => tree.rename(out, 'd', out, 'b'))).toBe(ERRNO.notdir);
    tree.createDirectory(out, 'f');
    expect(errnoOf(() => tree.rename(out, 'f', out, 'd'))).toBe(ERRNO.notempty);
    tree.rename(out, 'd', out, 'f');
    expect(tree.find(out, 'f/e')).toMatchObject({ kind: 'directory' });
    expect([...filesBelow(out, () => false)].map(({ path }) => path)).toEqual(['b']);
  });

  it('keeps what is not for writing as it is', () => {
    const { tree, out } = fixture();
    tree.place('/in/deep', false);
    expect(errnoOf(() => tree.createDirectory(tree.root, 'in/new'))).toBe(ERRNO.rofs);
    expect(errnoOf(() => tree.removeDirectory(tree.root, 'in/deep'))).toBe(ERRNO.rofs);
    expect(errnoOf(() => tree.rename(tree.root, 'in', out, 'in'))).toBe(ERRNO.rofs);
    tree.createDirectory(tree.root, 'new');
    expect(errnoOf(() => tree.rename(tree.root, 'new', tree.root, 'out'))).toBe(ERRNO.rofs);
    expect(errnoOf(() => tree.rename(tree.root, 'new', tree.root, 'old'))).toBe(ERRNO.success);
    expect(errnoOf(() => tree.removeDirectory(tree.root, 'out'))).toBe(ERRNO.rofs);
    expect(errnoOf(() => tree.rename(tree.root, 'out', out, 'inner'))).toBe(ERRNO.rofs);
    expect(errnoOf(() => tree.open(tree.root, 'in/new', { create: true, exclusive: false }))).toBe(
      ERRNO.rofs,
    );
  });
});
