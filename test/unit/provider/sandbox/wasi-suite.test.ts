import { globSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { DirectoryNode } from '../../../../src/provider/sandbox/child/file-nodes.ts';
import type { FileTree } from '../../../../src/provider/sandbox/child/file-tree.ts';
import { runProgram } from '../../../../src/provider/sandbox/child/program.ts';
import { ProgramEnd, wasiWorld } from './wasi-world.ts';

/**
 * The public test-suite of WASI preview 1 (https://github.com/WebAssembly/wasi-testsuite, branch prod/testsuite-all),
 * in the folder that this variable names.
 */
const SUITE = process.env['BIDMESH_WASI_TESTSUITE'];
const MEMORY_BYTES = 64 * 1024 * 1024;

/** Symbolic and hard links are refused: specs/sandbox.md says why. */
const REFUSED_ON_PURPOSE = [
  'rust/nofollow_errors',
  'rust/path_exists',
  'rust/path_link',
  'rust/path_symlink_trailing_slashes',
  'rust/readlink',
  'rust/symlink_create',
  'rust/symlink_filestat',
];

/** What the suite takes for a host whose links do not lead into nothing, as there are none. */
const DIALECT = { NO_DANGLING_FILESYSTEM: '1' };

const specSchema = z.object({
  args: z.array(z.string()).default([]),
  env: z.record(z.string(), z.string()).default({}),
  dirs: z.array(z.string()).default([]),
  exit_code: z.number().default(0),
  stdout: z.string().optional(),
});

const modules =
  SUITE === undefined ? [] : globSync(join(SUITE, 'tests/*/testsuite/wasm32-wasip1/*.wasm')).toSorted();
const nameOf = (path: string): string =>
  `${relative(join(SUITE ?? '', 'tests'), path).split('/')[0]}/${basename(path, '.wasm')}`;

describe('the WASI test-suite', () => {
  it('is all there', ({ skip }) => {
    if (SUITE === undefined) skip('BIDMESH_WASI_TESTSUITE names no folder with it');
    expect(modules.map(nameOf)).toHaveLength(72);
    expect(modules.map(nameOf)).toEqual(expect.arrayContaining(REFUSED_ON_PURPOSE));
  });

  it.each(modules.map((path) => [nameOf(path), path] as const))('%s', (name, path) => {
    expect(run(path)).toMatch(REFUSED_ON_PURPOSE.includes(name) ? /^fails/ : /^passes$/);
  });
});

function run(path: string): string {
  const specPath = path.replace(/\.wasm$/, '.json');
  const spec = specSchema.parse(statSync(specPath, { throwIfNoEntry: false }) ? readJson(specPath) : {});
  const { context, printed, folder } = wasiWorld({
    args: [basename(path), ...spec.args],
    env: Object.entries(path.includes('/rust/') ? DIALECT : spec.env).map(
      ([name, value]) => `${name}=${value}`,
    ),
    preopened: spec.dirs[0],
  });
  for (const dir of spec.dirs) fill(context.tree, folder, join(dirname(path), dir));
  const ending = endOf(() => runProgram(path, MEMORY_BYTES, context));
  const stdout = Buffer.concat(printed.stdout).toString();
  const passed = ending.exitCode === spec.exit_code && (spec.stdout ?? stdout) === stdout;
  return passed ? 'passes' : `fails: ${ending.message} ${Buffer.concat(printed.stderr).toString()}`;
}

/** The first end counts: what is thrown to get out of the program looks like a second one. */
function endOf(program: () => never): ProgramEnd['first'] {
  try {
    return program();
  } catch (error) {
    if (error instanceof ProgramEnd) return error.first;
    throw error;
  }
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}

function fill(tree: FileTree, folder: DirectoryNode, path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const below = join(path, entry.name);
    if (entry.isDirectory()) fill(tree, tree.placeBelow(folder, entry.name, true), below);
    else {
      const file = tree.open(folder, entry.name, { create: true, exclusive: true });
      if (file.kind === 'file') file.write(0, readFileSync(below));
    }
  }
}
