import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { codeOf } from '../../src/lib/coded-error.ts';
import { decodeCanonical, encodeCanonical } from '../../src/lib/canonical.ts';
import type { TaskHandle } from '../../src/provider/ports.ts';
import type { RunningTask, Task, TaskDriver } from '../../src/provider/task-driver.ts';

/**
 * What the suite has a program do. `prints`: "hello", and ends. `fails`: ends with exit code 3. `writes`: "content" into
 * a.txt of the one output folder. `lasts`: prints "ready" and does not end by itself.
 */
export type Behaviour = 'prints' | 'fails' | 'writes' | 'lasts';

export interface DriverFixture {
  /** A driver as each life of a node makes one. */
  create(): TaskDriver;
  /** What of a task is the engine's: `folder` is there for files of it. */
  program(does: Behaviour, folder: string): Promise<Pick<Task, 'content' | 'params'>>;
}

const MIB = 1024 * 1024;

/** The contract of `TaskDriver`: every engine keeps it. */
export function taskDriverSuite(name: string, fixture: DriverFixture): void {
  describe(`${name} as a task driver`, () => {
    let driver: TaskDriver;
    let folder: string;
    let running: RunningTask | undefined;
    let printed: string;

    beforeEach(async () => {
      driver = fixture.create();
      folder = await mkdtemp(join(tmpdir(), 'bidmesh-driver-'));
      running = undefined;
      printed = '';
    });

    afterEach(async () => {
      running?.stop(0);
      await running?.wait();
      await rm(folder, { recursive: true });
    });

    const taskOf = async (does: Behaviour, changes: Partial<Task> = {}): Promise<Task> => {
      const attempt = join(folder, 'attempt');
      await mkdir(attempt);
      return {
        executionId: `${folder}/${does}`,
        run: 1,
        folder: attempt,
        ...(await fixture.program(does, folder)),
        args: [],
        env: {},
        stdin: '',
        inputs: [],
        outputs: [{ name: 'out', path: '/outputs' }],
        limits: { wallClockMs: 30_000, memoryBytes: 128 * MIB, outputBytes: MIB, outputFiles: 10 },
        ...changes,
      };
    };

    const start = async (
      does: Behaviour,
      {
        started = async () => {},
        output = async () => {},
        signal = new AbortController().signal,
        ...changes
      }: Partial<Task> & {
        started?: (handle: TaskHandle) => Promise<void>;
        output?: () => Promise<void>;
        signal?: AbortSignal;
      } = {},
    ): Promise<RunningTask> => {
      running = await driver.start(
        await taskOf(does, changes),
        {
          started,
          output: async (stream, bytes) => {
            printed += `${stream}:${new TextDecoder().decode(bytes)}`;
            await output();
          },
        },
        signal,
      );
      return running;
    };

    /** A task that is at work: it has printed. */
    const startLasting = async (changes: Partial<Task> = {}): Promise<RunningTask> => {
      const ready = Promise.withResolvers<void>();
      const task = await start('lasts', { ...changes, output: async () => ready.resolve() });
      await ready.promise;
      return task;
    };

    it('says what it is on this machine, the same each time', async () => {
      const fingerprint = await driver.fingerprint();
      expect(fingerprint).toMatchObject({ usable: true, version: expect.stringMatching(/^\d+\.\d+\.\d+$/) });
      expect(await driver.fingerprint()).toEqual(fingerprint);
    });

    it('offers the extras of its fingerprint, and no others', async () => {
      const fingerprint = await driver.fingerprint();
      const task = await start('prints');
      const extras = (['channel', 'dial', 'exec'] as const).filter((extra) => task[extra] !== undefined);
      expect(fingerprint).toMatchObject({ extras });
    });

    it('runs a task to its end, which may be asked for again', async () => {
      const task = await start('prints');
      const outcome = await task.wait();
      expect(outcome).toMatchObject({ exitReason: 'completed', exitCode: 0, files: [] });
      expect(await task.wait()).toEqual(outcome);
      expect(printed).toBe('stdout:hello');
    });

    it('tells how a program failed', async () => {
      expect(await (await start('fails')).wait()).toMatchObject({ exitReason: 'exit-code', exitCode: 3 });
    });

    it('hands over what was written, inside the folder of the task', async () => {
      const { files } = await (await start('writes')).wait();
      expect(files).toMatchObject([{ output: 'out', path: 'a.txt', size: 7 }]);
      const [file] = files;
      expect(file?.hostPath.startsWith(`${folder}/attempt/`)).toBe(true);
      expect(await readFile(file?.hostPath ?? '', 'utf8')).toBe('content');
    });

    it('has its handle on record before the work begins', async () => {
      const order: string[] = [];
      const handles: TaskHandle[] = [];
      const task = await start('prints', {
        run: 3,
        started: async (handle) => {
          handles.push(handle);
          await new Promise((resolve) => setTimeout(resolve, 100));
          order.push('on record');
        },
        output: async () => void order.push('printed'),
      });
      await task.wait();
      expect(order).toEqual(['on record', 'printed']);
      expect(handles).toEqual([task.handle]);
      expect(task.handle).toMatchObject({ engine: driver.engine, run: 3 });
      expect(decodeCanonical(encodeCanonical(task.handle))).toEqual(task.handle);
    });

    it('does not begin the work where its handle cannot be put on record', async () => {
      const started = async (): Promise<void> => {
        throw new Error('the disk is full');
      };
      const error: unknown = await start('prints', { started }).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: 'TASK_NOT_STARTED',
        message: expect.stringContaining('the disk is full'),
      });
      expect(printed).toBe('');
    });

    it('does not start what is cancelled before', async () => {
      const error: unknown = await start('prints', { signal: AbortSignal.abort() }).catch(
        (thrown: unknown) => thrown,
      );
      expect(error).toMatchObject({ code: 'TASK_NOT_STARTED', data: { exitReason: 'cancelled' } });
      expect(printed).toBe('');
    });

    it('ends a task that is to stop', async () => {
      const task = await startLasting();
      task.stop(0);
      expect(await task.wait()).toMatchObject({ exitReason: 'cancelled' });
      task.stop(0);
      expect(await task.stats()).toBeUndefined();
    });

    it('tells what a task takes while it runs', async () => {
      const task = await startLasting();
      const stats = await task.stats();
      expect(stats?.memoryBytes).toBeGreaterThan(0);
      expect(stats?.cpuMs).toBeGreaterThanOrEqual(0);
    });

    it('sends the signals of its fingerprint, and says so of others', async () => {
      const fingerprint = await driver.fingerprint();
      const signals: readonly string[] = fingerprint.usable ? fingerprint.signals : [];
      const task = await startLasting();
      for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGWINCH'] as const) {
        const code = await task.signal(signal).then(() => undefined, codeOf);
        expect(code).toBe(signals.includes(signal) ? undefined : 'SIGNAL_UNSUPPORTED');
      }
    });

    it('keeps the limits that it says it enforces', async () => {
      const fingerprint = await driver.fingerprint();
      const enforces = fingerprint.usable ? fingerprint.enforces : [];
      const limits = { wallClockMs: 30_000, memoryBytes: 128 * MIB, outputBytes: MIB, outputFiles: 10 };
      const beyond = [
        ['wallClockMs', 'lasts', 'timeout', { ...limits, wallClockMs: 300 }],
        ['outputBytes', 'prints', 'output-limit', { ...limits, outputBytes: 2 }],
        ['outputFiles', 'writes', 'output-limit', { ...limits, outputFiles: 0 }],
      ] as const;
      const enforced = beyond.filter(([limit]) => enforces.includes(limit));
      const reasons: string[] = [];
      for (const [, does, , narrow] of enforced) {
        reasons.push((await (await start(does, { limits: narrow })).wait()).exitReason);
        await rm(join(folder, 'attempt'), { recursive: true });
      }
      expect(reasons).toEqual(enforced.map(([, , reason]) => reason));
    });

    it('recovers a task in a later life of the node, or says that it is gone', async () => {
      const fingerprint = await driver.fingerprint();
      const { handle } = await startLasting();
      const later = await fixture.create().recover(handle, async () => {});
      expect(later.state).toBe(fingerprint.usable && fingerprint.outlivesNode ? 'running' : 'gone');
      if (later.state === 'gone') return;
      expect(later.task.handle).toEqual(handle);
      later.task.stop(0);
      expect(await later.task.wait()).toMatchObject({ exitReason: 'cancelled' });
    });

    it('finds what an earlier life left running, and ends it', async () => {
      const task = await startLasting();
      const later = fixture.create();
      expect(await later.leftovers([task.handle])).toEqual([task.handle]);
      await later.destroy(task.handle);
      await task.wait();
      expect(await later.leftovers([task.handle])).toEqual([]);
      await later.destroy(task.handle);
    });
  });
}
