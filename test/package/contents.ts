import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const MAX_PACKED_BYTES = 1.5 * 1024 * 1024;
/** Beside `dist/`. `package.json` is always there. */
const KEPT = /^(dist\/.*|config\/.*|specs\/.*\.md|src\/bidmesh\.js|[A-Z]+(\.md)?|package\.json)$/;
const NEEDED = [
  'LICENSE',
  'README.md',
  'CHANGELOG.md',
  'src/bidmesh.js',
  'config/default.yaml',
  'config/demo/job.yaml',
  'config/embed.mjs',
  'dist/main.js',
  'dist/index.js',
  'dist/index.d.ts',
  'dist/client/index.js',
  'dist/client/index.d.ts',
];

export interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

/** Nothing is in the package that it does not need, and nothing that it names is missing. */
export async function checkContents({ size, files }: Packed, folder: string): Promise<string> {
  const paths = files.map(({ path }) => path);
  assert.deepEqual(
    paths.filter((path) => !KEPT.test(path)),
    [],
    'files that have no place in the package',
  );
  assert.deepEqual(
    NEEDED.filter((path) => !paths.includes(path)),
    [],
    'files that are missing',
  );
  assert.ok(size <= MAX_PACKED_BYTES, `the package has ${size} bytes, more than ${MAX_PACKED_BYTES}`);
  const links = [...(await readFile(join(folder, 'README.md'), 'utf8')).matchAll(/\]\((?!\w+:)([^)#]+)/g)];
  assert.deepEqual(
    links.map(([, link = '']) => link).filter((link) => !paths.includes(link)),
    [],
    'what README.md leads to is not in the package',
  );
  return `${paths.length} files, ${Math.round(size / 1024)} KiB packed`;
}
