import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { timeUntil } from '../provider/engines/sandbox-run.ts';

const MODULE = fileURLToPath(new URL('../../../src/launcher/stop-deadline.ts', import.meta.url));
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bidmesh-stop-'));
});

afterEach(() => rm(folder, { recursive: true }));

async function endOf(script: string): Promise<{ code: number | null; signal: string | null }> {
  const text = `import { endWithin } from ${JSON.stringify(MODULE)};\n${script}`;
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', text], {
    stdio: 'ignore',
  });
  const [code, signal] = await once(child, 'exit');
  return { code, signal };
}

async function watchersOf(mark: string): Promise<number> {
  const lines = await Promise.all(
    (await readdir('/proc'))
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return lines.filter((line) => line.includes('process.argv') && line.endsWith(`\0${mark}\0`)).length;
}

it('a process that does not exit by itself is ended', async ({ skip }) => {
  skip(process.platform !== 'linux', 'the way to hold an exit up is that of Linux');
  const pipe = join(folder, 'pipe');
  const tool = 'mkfifo';
  execFileSync(tool, [pipe]);
  const held = `import { readFile } from 'node:fs';
readFile(${JSON.stringify(pipe)}, () => {});
endWithin(process.pid, process.execPath, 1500);
setTimeout(() => process.exit(0), 100);`;
  expect(await endOf(held)).toEqual({ code: null, signal: 'SIGKILL' });
});

it('a process that spins while it stops is ended', async () => {
  const spins = 'endWithin(process.pid, process.execPath, 1000); for (;;);';
  expect(await endOf(spins)).toEqual({ code: null, signal: 'SIGKILL' });
});

it('a process that exits in time keeps its exit code, and nobody watches any more', async () => {
  const mark = String(600_000 + process.pid);
  const exits = `endWithin(process.pid, process.execPath, ${mark});\nprocess.exit(7);`;
  expect(await endOf(exits)).toEqual({ code: 7, signal: null });
  // Elsewhere the processes of others are not to be seen.
  const none = async (): Promise<boolean> => platform() !== 'linux' || (await watchersOf(mark)) === 0;
  expect(await timeUntil(none, 8000)).toBeDefined();
});
