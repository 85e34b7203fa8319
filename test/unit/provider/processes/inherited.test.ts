import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Level } from 'level';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../../src/lib/clock.ts';
import { createToolRunner } from '../../../../src/provider/processes/tool-runner.ts';
import { helloAndSpinModule } from '../../../fixtures/wasm-modules.ts';
import { driversFor, isolationOf, type Isolation, type Job, runJob } from '../engines/sandbox-run.ts';

async function descriptorsOf(pid: number | 'self'): Promise<string[]> {
  const folder = `/proc/${pid}/fd`;
  const links = (await readdir(folder)).map((name) => readlink(join(folder, name)).catch(() => ''));
  return (await Promise.all(links)).filter((link) => link !== '');
}

async function parentOf(pid: number): Promise<number> {
  return Number(/^PPid:\s+(\d+)$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

describe.runIf(process.platform === 'linux')(
  'what children get of this process while a store is open',
  () => {
    let folder: string;
    let stores: Level[] = [];

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'bidmesh-inherited-'));
      stores = Array.from({ length: 3 }, (_, index) => new Level(join(folder, String(index))));
      for (const store of stores) await store.put('key', 'value');
      // Else the test shows nothing: the store's files are open here.
      expect((await descriptorsOf('self')).filter((link) => link.startsWith(folder)).length).toBeGreaterThan(
        6,
      );
    });

    afterAll(async () => {
      for (const store of stores) await store.close();
      await rm(folder, { recursive: true });
    });

    describe.each<Isolation>(['process', 'bubblewrap'])('isolated by %s', (isolation) => {
      it.for<[string, Job]>([
        ['a module', { program: helloAndSpinModule('here') }],
        ['a script', { engine: 'python', program: 'print("here")\nwhile True: pass' }],
      ])('is the pipes and the spool, for %s', async ([, job], { skip }) => {
        const drivers = driversFor(isolation);
        if ((await isolationOf(drivers)) !== isolation) skip('bwrap is not there or does not work here');
        const abort = new AbortController();
        let child = 0;
        let found: string[] = [];
        await runJob(drivers, {
          ...job,
          signal: abort.signal,
          started: async ({ pid }) => {
            child = pid;
          },
          printed: async () => {
            if (abort.signal.aborted) return;
            found = await descriptorsOf(child);
            if (isolation === 'bubblewrap') found.push(...(await descriptorsOf(await parentOf(child))));
            abort.abort();
          },
        });
        expect(found.length).toBeGreaterThan(3);
        const others = found.filter(
          (link) => !/^(pipe|socket|anon_inode):/.test(link) && !link.endsWith('/attempt/spool (deleted)'),
        );
        expect(others).toEqual([]);
      });
    });

    it('is nothing of the store, for a tool', async () => {
      const tool = await createToolRunner(systemClock)('ls', ['-l', '/proc/self/fd'], {
        searchPath: '/usr/bin:/bin',
        timeoutMs: 5000,
        outputBytes: 64 * 1024,
      });
      expect(tool).toMatchObject({ outcome: 'ended', exitCode: 0 });
      expect(JSON.stringify(tool)).not.toContain(folder);
    });
  },
);
