import { execFileSync } from 'node:child_process';
import { cpSync, globSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleSandboxChild } from './bundle.ts';

/** Makes `dist/`, which the package runs: `src/` as JavaScript, file by file, with its types and what else it reads. */
const root = fileURLToPath(new URL('..', import.meta.url));
const dist = `${root}dist`;

rmSync(dist, { recursive: true, force: true });
execFileSync(`${root}node_modules/.bin/tsc`, ['-p', `${root}tsconfig.build.json`], { stdio: 'inherit' });
for (const path of globSync('**/*.{py,pyc}', { cwd: `${root}src` }))
  cpSync(`${root}src/${path}`, `${dist}/${path}`);
writeFileSync(`${dist}/provider/sandbox/child.mjs`, await bundleSandboxChild());
