import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { driversFor, runJob } from '../sandbox-run.ts';

const LIBRARY = 'src/provider/engines/python/library';
/** Set it to write the compiled files again after a change of the sources. */
const WRITE = process.env['BIDMESH_WRITE_BYTECODE'];

/** Compiles every file of the library as the sandbox's own Python does; a stale one is never used, as each has its source's hash. */
const COMPILE = `
import _imp, base64, importlib.util, json, marshal, os
folder = '/job/.python'
compiled = {}
for name in sorted(os.listdir(folder)):
    if not name.endswith('.py'): continue
    source = open(f'{folder}/{name}', 'rb').read()
    code = marshal.dumps(compile(source, f'{folder}/{name}', 'exec', dont_inherit=True))
    head = importlib.util.MAGIC_NUMBER + (3).to_bytes(4, 'little') + _imp.source_hash(importlib.util._RAW_MAGIC_NUMBER, source)
    target = os.path.relpath(importlib.util.cache_from_source(f'{folder}/{name}'), folder)
    compiled[target] = [base64.b64encode(head).decode(), base64.b64encode(code).decode()]
print(json.dumps(compiled))
`;

it('has each of its files compiled as it stands, as compiling would take longer than most scripts', async () => {
  const { stdout, stderr } = await runJob(driversFor('process'), { engine: 'python', program: COMPILE });
  expect(stderr).toBe('');
  const compiled: Readonly<Record<string, readonly [string, string]>> = JSON.parse(stdout);
  if (WRITE !== undefined) write(compiled);
  const heads = Object.entries(compiled).map(([path, [head]]) => [path, head]);
  const found = readdirSync(`${LIBRARY}/__pycache__`).toSorted();
  expect(found.map((name) => `__pycache__/${name}`)).toEqual(Object.keys(compiled));
  expect(heads).toEqual(
    heads.map(([path]) => [path, readFileSync(`${LIBRARY}/${path}`).subarray(0, 16).toString('base64')]),
  );
});

function write(compiled: Readonly<Record<string, readonly [string, string]>>): void {
  mkdirSync(`${LIBRARY}/__pycache__`, { recursive: true });
  for (const [path, parts] of Object.entries(compiled)) {
    writeFileSync(`${LIBRARY}/${path}`, Buffer.concat(parts.map((part) => Buffer.from(part, 'base64'))));
  }
}
