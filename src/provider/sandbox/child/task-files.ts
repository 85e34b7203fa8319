import { lstatSync, readdirSync, type Stats } from 'node:fs';
import { posix } from 'node:path';
import type { ByteSource } from './descriptors.ts';
import { MAX_PATH_DEPTH } from '../../../domain/program/path-bounds.ts';
import { type DirectoryNode, InputFile } from './file-nodes.ts';
import type { FileTree } from './file-tree.ts';
import type { SandboxTask } from './sandbox-task.ts';

const SCRATCH = '/tmp';
const MAX_INPUT_ENTRIES = 20_000;

/** Thrown when an input cannot be shown to the program. */
export class InputError extends Error {
  override readonly name = 'InputError';
}

export interface OutputFolder {
  readonly name: string;
  readonly directory: DirectoryNode;
  /** Folders that are no part of it, wherever they lie. */
  readonly apart: ReadonlySet<DirectoryNode>;
}

/**
 * Fills the tree with what a task brings. The folder that a program starts in is `/`, and it can be written to as output
 * folders and `/tmp` can; inputs, and the folders that lead to them, cannot.
 */
export function placeTask(tree: FileTree, task: SandboxTask): OutputFolder[] {
  // The upper ones first: a folder that was made on the way to a deeper one could not be written to.
  const upperFirst = [SCRATCH, ...task.outputs.map(({ path }) => path)].sort((a, b) => a.length - b.length);
  const apart = new Set(upperFirst.map((path) => tree.place(path, true)));
  const outputs = task.outputs.map(({ name, path }) => ({ name, directory: tree.place(path, true), apart }));
  const budget = { entries: MAX_INPUT_ENTRIES };
  for (const { target, path } of task.inputs) {
    const parent = tree.place(posix.dirname(target), false);
    placeInput(tree, parent, posix.basename(target), path, budget, 0);
  }
  return outputs;
}

/** What the program reads as its standard input; a file is read as it goes, so its size costs no memory. */
export function openStdin(tree: FileTree, stdin: SandboxTask['stdin']): ByteSource {
  if (typeof stdin !== 'string') {
    const file = new InputFile(tree.nextInode(), tree.times(), stdin.path, statOf(stdin.path, 'stdin').size);
    file.opened();
    return file;
  }
  const bytes = new TextEncoder().encode(stdin);
  return {
    read: (position, into) => {
      const part = bytes.subarray(position, position + into.length);
      into.set(part);
      return part.length;
    },
  };
}

/** Links in an input folder are left out: where they lead is not part of the input. */
function placeInput(
  tree: FileTree,
  parent: DirectoryNode,
  name: string,
  path: string,
  budget: { entries: number },
  depth: number,
): void {
  budget.entries -= 1;
  if (budget.entries < 0) throw new InputError(`The inputs have more than ${MAX_INPUT_ENTRIES} entries.`);
  if (depth > MAX_PATH_DEPTH) throw new InputError('An input folder is too deep.');
  const found = statOf(path, name);
  if (found.isFile()) {
    parent.entries.set(name, new InputFile(tree.nextInode(), tree.times(), path, found.size));
  } else if (found.isDirectory()) {
    const directory = tree.placeBelow(parent, name, false);
    for (const entry of readdirSync(path)) {
      placeInput(tree, directory, entry, posix.join(path, entry), budget, depth + 1);
    }
  }
}

function statOf(path: string, name: string): Stats {
  try {
    return lstatSync(path);
  } catch (error) {
    throw new InputError(`The input "${name}" cannot be read.`, { cause: error });
  }
}
