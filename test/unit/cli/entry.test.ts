import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { openDesk } from './command-line.ts';
import packageFile from '../../../package.json' with { type: 'json' };

const run = promisify(execFile);
const ENTRY = fileURLToPath(new URL(`../../../${packageFile.bin.bidmesh}`, import.meta.url));

it('starts the program from the file that the package names', async () => {
  accessSync(ENTRY, constants.X_OK);
  const { stdout, stderr } = await run(process.execPath, [ENTRY, '--version']);
  expect(stdout.trim()).toBe(packageFile.version);
  expect(stderr).toBe('');
});

it('passes on with what exit code the command ended', async () => {
  await expect(run(process.execPath, [ENTRY, 'no-such-command'])).rejects.toMatchObject({ code: 2 });
});

it('asks a node on this machine directly, whatever proxies the environment names', async () => {
  const desk = await openDesk();
  try {
    const proxies = { HTTP_PROXY: 'http://127.0.0.1:1', NO_PROXY: 'example.org', NODE_USE_ENV_PROXY: '1' };
    const env = { ...process.env, ...proxies };
    const { stdout } = await run(process.execPath, [ENTRY, '--api', desk.api.url, 'status'], { env });
    expect(stdout).toContain('peer-self');
  } finally {
    await desk.close();
  }
});

it('stops a node once where a signal is passed on by what stands in front of it', {
  timeout: 30_000,
}, async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'bidmesh-entry-'));
  const args = [ENTRY, 'start', '--json', '--no-mdns', '--api', '127.0.0.1:0', '--data-dir', dataDir];
  const env = { ...process.env, BIDMESH__PROVIDER__ENABLED: 'false', BIDMESH__LOG__LEVEL: 'error' };
  const node = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await once(createInterface({ input: node.stdout }), 'line');
    const exited = once(node, 'exit');
    node.kill('SIGINT');
    node.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
  } finally {
    node.kill('SIGKILL');
    await rm(dataDir, { recursive: true });
  }
});

it('says so where standard output cannot be written', async ({ skip }) => {
  skip(!existsSync('/dev/full'), 'this system has no /dev/full');
  const full = `"${process.execPath}" "${ENTRY}" --version > /dev/full`;
  await expect(run('/bin/sh', ['-c', full])).rejects.toMatchObject({ code: 1 });
});

it('loads no TypeScript compiler once the compiled code is there', async () => {
  await run(process.execPath, [ENTRY, '--version']);
  const { stderr } = await run(process.execPath, [ENTRY, '--version'], {
    env: { ...process.env, NODE_DEBUG_NATIVE: 'COMPILE_CACHE' },
    maxBuffer: 16 * 1024 * 1024,
  });
  expect(stderr).toContain('retrieving transpile cache for StrippedTypeScript');
  expect(stderr).toMatch(/src\/main\.ts\.\.\.success/);
  expect(stderr).not.toMatch(/retrieving transpile cache for StrippedTypeScript \S+\.\.\.(?!success)/);
});
