import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import * as modules from '../../../../fixtures/wasm-modules.ts';
import {
  driversFor,
  isolationOf,
  type Isolation,
  isAlive,
  type Job,
  type JobResult,
  MIB,
  runJob,
  timeUntil,
} from '../sandbox-run.ts';

const NO_BWRAP = 'bwrap is not there or does not work here';

describe.each<Isolation>(['process', 'bubblewrap'])('a program, isolated by %s', (isolation) => {
  const drivers = driversFor(isolation);
  let works = false;
  const run = (job: Job, skip: (note: string) => void): Promise<JobResult> => {
    if (!works) skip(NO_BWRAP);
    return runJob(drivers, job);
  };

  beforeAll(async () => {
    works = (await isolationOf(drivers)) === isolation;
  }, 30_000);

  it('ends by itself', async ({ skip }) => {
    const { outcome, stdout, left } = await run({ program: modules.noopModule() }, skip);
    expect(outcome).toMatchObject({ exitReason: 'completed', exitCode: 0, files: [] });
    expect(stdout).toBe('');
    expect(left).not.toContain('spool');
  });

  it('prints to both streams', async ({ skip }) => {
    const out = await run({ program: modules.helloModule('hällo\n') }, skip);
    expect([out.stdout, out.stderr]).toEqual(['hällo\n', '']);
    const err = await run({ program: modules.helloModule('oh no', 2) }, skip);
    expect([err.stdout, err.stderr]).toEqual(['', 'oh no']);
  });

  it.for([7, 300, -1])('leaves with exit code %i, all 32 bits of it', async (code, { skip }) => {
    const { outcome } = await run({ program: modules.exitModule(code) }, skip);
    expect(outcome).toMatchObject({ exitReason: 'exit-code', exitCode: code >>> 0 });
  });

  it('gets its arguments and its variables, and nothing from the node', async ({ skip }) => {
    const args = await run({ program: modules.printStringsModule('args'), args: ['a', 'ß', ''] }, skip);
    expect(args.stdout.split('\0')).toEqual(['main.wasm', 'a', 'ß', '', '']);
    process.env['BIDMESH_TEST_SECRET'] = 'secret';
    const env = await run(
      { program: modules.printStringsModule('environ'), env: { A: 'ü', B: '2=3' } },
      skip,
    );
    expect(env.stdout.split('\0')).toEqual(['A=ü', 'B=2=3', '']);
  });

  it('reads its standard input', async ({ skip }) => {
    expect((await run({ program: modules.echoModule(), stdin: 'in pŭt' }, skip)).stdout).toBe('in pŭt');
  });

  it('hands over what it wrote below an output folder', async ({ skip }) => {
    const job = { program: modules.writeFileModule('/outputs/a.txt', 'content') };
    const { outcome, files } = await run(job, skip);
    expect(outcome).toMatchObject({ exitReason: 'completed' });
    expect(outcome.files).toMatchObject([{ output: 'out', path: 'a.txt', size: 7 }]);
    expect(files).toEqual({ 'out:a.txt': 'content' });
  });

  it('hands over what it wrote where it started, if no outputs are named', async ({ skip }) => {
    const job = { program: modules.writeFileModule('/a.txt', 'content'), outputs: [] };
    expect((await run(job, skip)).files).toEqual({ 'files:a.txt': 'content' });
    const named = await run({ ...job, outputs: [{ name: 'out', path: '/outputs' }] }, skip);
    expect(named.outcome).toMatchObject({ exitReason: 'completed', files: [] });
  });

  it('cannot write anywhere else', async ({ skip }) => {
    const inputs = { '/inputs/a': 'a' };
    for (const path of ['/inputs/a', '/inputs/b']) {
      const job = { program: modules.writeFileModule(path, 'x'), inputs };
      expect((await run(job, skip)).outcome).toMatchObject({ exitReason: 'exit-code', exitCode: 69 });
    }
  });

  it('ends with trap', async ({ skip }) => {
    const trap = await run({ program: modules.trapModule() }, skip);
    expect(trap.outcome).toMatchObject({
      exitReason: 'trap',
      message: expect.stringContaining('unreachable'),
    });
    const recursion = await run({ program: modules.recursionModule() }, skip);
    expect(recursion.outcome).toMatchObject({ exitReason: 'trap' });
  });

  it.for<[string, Uint8Array | string]>([
    ['is no module', 'garbage'],
    ['imports what WASI does not have', modules.foreignImportModule('env', 'launch')],
    ['imports an unknown WASI function', modules.foreignImportModule('wasi_snapshot_preview1', 'launch')],
    ['has several memories', modules.manyMemoriesModule(3)],
  ])('is refused as invalid-module when it %s', async ([, program], { skip }) => {
    expect((await run({ program }, skip)).outcome).toMatchObject({ exitReason: 'invalid-module', files: [] });
  });

  it('is ended by the clock when it spins, and its time is known', async ({ skip }) => {
    const { outcome } = await run({ program: modules.spinModule(), limits: { wallClockMs: 300 } }, skip);
    expect(outcome).toMatchObject({ exitReason: 'timeout' });
    expect(outcome.usage.wallClockMs).toBeGreaterThanOrEqual(300);
    expect(outcome.usage.cpuMs).toBeGreaterThan(50);
  });

  it('is ended by the clock when it sleeps', async ({ skip }) => {
    const job = { program: modules.sleepModule(60_000), limits: { wallClockMs: 200 } };
    expect((await run(job, skip)).outcome).toMatchObject({ exitReason: 'timeout' });
    const short = await run({ program: modules.sleepModule(500) }, skip);
    expect(short.outcome).toMatchObject({ exitReason: 'completed' });
    // Counted from when this process hears of the start, which on busy cores may be late.
    expect(short.outcome.usage.wallClockMs).toBeGreaterThanOrEqual(200);
  });

  it.for<[string, Uint8Array | string]>([
    ['grows until it cannot', modules.growModule()],
    ['asks for too much at once', modules.largeMemoryModule(4096)],
    ['fills the heap of its runtime with tables', modules.manyTablesModule(200)],
  ])('ends with out-of-memory when it %s', async ([, program], { skip }) => {
    const { outcome } = await run({ program, limits: { memoryBytes: 64 * MIB } }, skip);
    expect(outcome).toMatchObject({ exitReason: 'out-of-memory' });
  });

  it('ends with output-limit when it floods, and no more than the limit arrives', async ({ skip }) => {
    const { outcome, printedBytes } = await run({ program: modules.floodModule() }, skip);
    expect(outcome).toMatchObject({ exitReason: 'output-limit' });
    expect(printedBytes).toBe(8 * MIB);
  });

  it.for<[string, Uint8Array | string, number, number]>([
    ['a file without end', modules.endlessFileModule('/outputs/big'), 1, 8 * MIB],
    ['a file without end in its scratch folder', modules.endlessFileModule('/tmp/big'), 0, 0],
    [
      'a file that is only said to have a terabyte',
      modules.resizeFileModule('/outputs/big', 1n << 40n),
      1,
      0,
    ],
    ['files without end', modules.manyFilesModule('/outputs'), 50, 0],
  ])('ends with output-limit when it makes %s, and keeps what it has', async (limited, { skip }) => {
    const [, program, files, bytes] = limited;
    const { outcome } = await run({ program }, skip);
    expect(outcome).toMatchObject({ exitReason: 'output-limit' });
    expect(outcome.files).toHaveLength(files);
    expect(outcome.files.reduce((sum, { size }) => sum + size, 0)).toBe(bytes);
  });

  it('cannot make links', async ({ skip }) => {
    const job = { program: modules.symlinkModule('/etc/passwd', '/outputs/link') };
    const { outcome } = await run(job, skip);
    expect(outcome).toMatchObject({ exitReason: 'exit-code', exitCode: 58, files: [] });
  });

  it('ends only itself with a signal', async ({ skip }) => {
    const { outcome } = await run({ program: modules.raiseModule(9) }, skip);
    expect(outcome).toMatchObject({ exitReason: 'exit-code', exitCode: 137 });
  });

  it('has ended when it has said so, even if it catches everything', async ({ skip }) => {
    const { outcome } = await run({ program: modules.defiantModule() }, skip);
    expect(outcome).toMatchObject({ exitReason: 'completed', exitCode: 0 });
  });

  it('does not start before its process is on record', async ({ skip }) => {
    const order: string[] = [];
    await run(
      {
        program: modules.helloModule('hello'),
        started: async ({ pid, startTimeTicks }) => {
          expect(await isAlive(pid)).toBe(true);
          expect(startTimeTicks).toBeGreaterThan(0);
          await new Promise((resolve) => setTimeout(resolve, 200));
          order.push('on record');
        },
        printed: (text) => void order.push(text),
      },
      skip,
    );
    expect(order).toEqual(['on record', 'hello']);
  });

  it('prints only as fast as its output is taken', async ({ skip }) => {
    const abort = new AbortController();
    const taken: number[] = [];
    const { outcome } = await run(
      {
        program: modules.floodModule(),
        limits: { outputBytes: 4096 * MIB },
        signal: abort.signal,
        printed: async (text) => {
          taken.push(text.length);
          await new Promise((resolve) => setTimeout(resolve, 500));
          abort.abort();
        },
      },
      skip,
    );
    expect(outcome).toMatchObject({ exitReason: 'cancelled' });
    expect(taken).toHaveLength(1);
    expect(outcome.usage.cpuMs).toBeLessThan(400);
  });

  it('is cancelled while it spins', async ({ skip }) => {
    const abort = new AbortController();
    let child = 0;
    const { outcome } = await run(
      {
        program: modules.helloAndSpinModule('spinning'),
        signal: abort.signal,
        started: async ({ pid }) => {
          child = pid;
        },
        printed: () => abort.abort(),
      },
      skip,
    );
    expect(outcome).toMatchObject({ exitReason: 'cancelled' });
    expect(await isAlive(child)).toBe(false);
  });

  it('is cancelled before it starts', async ({ skip }) => {
    const { outcome } = await run({ program: modules.noopModule(), signal: AbortSignal.abort() }, skip);
    expect(outcome).toMatchObject({ exitReason: 'cancelled' });
  });

  it('is not run when its process cannot be put on record', async ({ skip }) => {
    const { outcome, stdout } = await run(
      {
        program: modules.helloModule('hello'),
        started: async () => {
          throw new Error('The disk is full.');
        },
      },
      skip,
    );
    expect(outcome).toMatchObject({ exitReason: 'internal', message: 'The disk is full.' });
    expect(stdout).toBe('');
  });

  it('is destroyed by its handle, but only as the very process on record', async ({ skip }) => {
    let alive: boolean | undefined;
    const { outcome } = await run(
      {
        program: modules.sleepModule(60_000),
        started: async ({ pid, startTimeTicks }, handle) => {
          const [driver] = drivers;
          await driver?.destroy({ ...handle, state: { pid, startTimeTicks: startTimeTicks + 1 } });
          alive = await isAlive(pid);
          await driver?.destroy(handle);
        },
      },
      skip,
    );
    expect(alive).toBe(true);
    expect(outcome).toMatchObject({ exitReason: 'internal' });
  });

  it('ends with its node, even by kill -9 and while it spins', async ({ skip }) => {
    if (!works) skip(NO_BWRAP);
    const script = fileURLToPath(new URL('../spinning-parent.ts', import.meta.url));
    const folder = await mkdtemp(join(tmpdir(), 'bidmesh-parent-'));
    const parent = spawn(process.execPath, [script, isolation], {
      env: { ...process.env, TMPDIR: folder },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    for await (const chunk of parent.stdout) {
      printed += String(chunk);
      if (printed.includes('spinning')) break;
    }
    const pid = Number(/pid (\d+)/.exec(printed)?.[1]);
    expect(await isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    expect(await timeUntil(async () => !(await isAlive(pid)), 2000)).toBeLessThan(2000);
    await rm(folder, { recursive: true });
  }, 20_000);
});

describe('the drivers', () => {
  const drivers = driversFor('process');

  it('offers what is installed', async () => {
    const fingerprints = await Promise.all(
      drivers.map(async (driver) => [driver.engine, await driver.fingerprint()]),
    );
    const common = {
      usable: true,
      isolation: 'process',
      enforces: ['wallClockMs', 'memoryBytes', 'outputBytes', 'outputFiles'],
      outlivesNode: false,
      signals: [],
      extras: [],
    };
    expect(Object.fromEntries(fingerprints)).toEqual({
      wasm: {
        ...common,
        version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
        runtimes: {},
        runtimeMemoryBytes: 64 * MIB,
      },
      python: {
        ...common,
        version: '3.12.0',
        runtimes: { python: '3.12.0' },
        runtimeMemoryBytes: 128 * MIB,
      },
    });
  });

  it.each<[string, Job]>([
    ['an output with ..', { program: '', outputs: [{ name: 'out', path: '/outputs/../etc' }] }],
    ['a relative output', { program: '', outputs: [{ name: 'out', path: 'outputs' }] }],
    ['the root as an output', { program: '', outputs: [{ name: 'out', path: '/' }] }],
    ['a NUL in an argument', { program: '', args: ['a\0b'] }],
    ['a variable with = in its name', { program: '', env: { 'A=B': 'c' } }],
    ['an input with ..', { program: '', inputs: { '/a/../b': '' } }],
    ['an input that is too deep', { program: '', inputs: { ['/a'.repeat(100)]: '' } }],
    ['one input below another', { program: '', inputs: { '/a': '', '/a/b': '' } }],
    ['an input over the script', { engine: 'python', program: '', inputs: { '/job/main.py': '' } }],
    ['a limit that is no number', { program: '', limits: { outputBytes: Number.NaN } }],
  ])('refuses %s', async (_, job) => {
    expect((await runJob(drivers, job)).outcome).toMatchObject({ exitReason: 'denied' });
  });

  it('says when the program or an input is missing', async () => {
    const program = modules.noopModule();
    const missing = await runJob(drivers, { program, altered: { content: { module: '/nowhere' } } });
    expect(missing.outcome).toMatchObject({ exitReason: 'input-unavailable' });
    const inputs = [{ target: '/a', hostPath: '/nowhere/a' }];
    const input = await runJob(drivers, { program, altered: { inputs } });
    expect(input.outcome).toMatchObject({ exitReason: 'input-unavailable' });
  });
});
