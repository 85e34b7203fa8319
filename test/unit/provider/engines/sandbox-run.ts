import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { exitReasons } from '../../../../src/domain/program/task.ts';
import { systemClock } from '../../../../src/lib/clock.ts';
import { systemRandom } from '../../../../src/lib/random.ts';
import { codeOf, CodedError } from '../../../../src/lib/coded-error.ts';
import { createDrivers } from '../../../../src/provider/engines/drivers.ts';
import type { TaskHandle } from '../../../../src/provider/ports.ts';
import type {
  Task,
  TaskDriver,
  TaskEvents,
  TaskLimits,
  TaskOutcome,
} from '../../../../src/provider/task-driver.ts';
import { sampleProcess } from '../../../../src/provider/processes/process-identity.ts';

export type Isolation = 'process' | 'bubblewrap';

export const MIB = 1024 * 1024;

const LIMITS: TaskLimits = {
  wallClockMs: 20_000,
  memoryBytes: 128 * MIB,
  outputBytes: 8 * MIB,
  outputFiles: 50,
};

export interface Job {
  readonly engine?: 'wasm' | 'python';
  readonly program: Uint8Array | string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Bytes come as a file. */
  readonly stdin?: string | Uint8Array;
  /** Files by the absolute path that the program sees. */
  readonly inputs?: Readonly<Record<string, string>>;
  readonly outputs?: Task['outputs'];
  readonly limits?: Partial<TaskLimits>;
  /** What the task says in the place of what it would. */
  readonly altered?: Partial<Task>;
  readonly signal?: AbortSignal;
  readonly started?: (child: { pid: number; startTimeTicks: number }, handle: TaskHandle) => Promise<void>;
  readonly printed?: (text: string) => void | Promise<void>;
  readonly prepare?: (folder: string) => Promise<void>;
}

export interface JobResult {
  readonly outcome: TaskOutcome;
  readonly stdout: string;
  readonly stderr: string;
  readonly printedBytes: number;
  /** Contents by `output:path`. */
  readonly files: Readonly<Record<string, string>>;
  /** What the attempt left in its folder. */
  readonly left: readonly string[];
}

export function driversFor(isolation: Isolation): readonly TaskDriver[] {
  return createDrivers({
    nodePath: process.execPath,
    searchPath: process.env['PATH'] ?? '',
    useBubblewrap: isolation === 'bubblewrap' ? 'auto' : 'never',
    clock: systemClock,
    random: systemRandom,
  });
}

export async function isolationOf(drivers: readonly TaskDriver[]): Promise<string | undefined> {
  const fingerprint = await drivers[0]?.fingerprint();
  return fingerprint?.usable === true ? fingerprint.isolation : undefined;
}

const CONTENT_PARAM = { wasm: 'module', python: 'script' };

/** Runs one job in a folder of its own, which is gone afterwards. */
export async function runJob(drivers: readonly TaskDriver[], job: Job): Promise<JobResult> {
  const base = await mkdtemp(join(tmpdir(), 'bidmesh-task-'));
  try {
    return await runJobIn(base, drivers, job);
  } finally {
    await rm(base, { recursive: true, force: true });
  }
}

async function runJobIn(base: string, drivers: readonly TaskDriver[], job: Job): Promise<JobResult> {
  const folder = join(base, 'attempt');
  await mkdir(folder);
  await job.prepare?.(base);
  const programPath = join(base, 'program');
  await writeFile(programPath, job.program);
  const inputs: { target: string; hostPath: string }[] = [];
  for (const [target, content] of Object.entries(job.inputs ?? {})) {
    const hostPath = join(base, `input-${inputs.length}`);
    await writeFile(hostPath, content);
    inputs.push({ target, hostPath });
  }
  const printed: Record<'stdout' | 'stderr', Uint8Array[]> = { stdout: [], stderr: [] };
  const { engine = 'wasm' } = job;
  const outcome = await outcomeOf(
    drivers.find((driver) => driver.engine === engine),
    {
      executionId: 'execution-1',
      folder,
      run: 1,
      content: { [CONTENT_PARAM[engine]]: programPath },
      params: {},
      args: job.args ?? [],
      env: job.env ?? {},
      stdin: await stdinOf(job.stdin, base),
      inputs,
      outputs: job.outputs ?? [{ name: 'out', path: '/outputs' }],
      limits: { ...LIMITS, ...job.limits },
      ...job.altered,
    },
    {
      started: async (handle) => job.started?.(childOf(handle), handle),
      output: async (stream, bytes) => {
        printed[stream].push(bytes);
        await job.printed?.(Buffer.from(bytes).toString('utf8'));
      },
    },
    job.signal ?? new AbortController().signal,
  );
  const files: Record<string, string> = {};
  for (const { output, path, hostPath } of outcome.files) {
    files[`${output}:${path}`] = await readFile(hostPath, 'utf8');
  }
  const stdout = Buffer.concat(printed.stdout);
  const stderr = Buffer.concat(printed.stderr);
  const left = await readdir(folder);
  return {
    outcome,
    stdout: stdout.toString('utf8'),
    stderr: stderr.toString('utf8'),
    printedBytes: stdout.length + stderr.length,
    files,
    left,
  };
}

async function outcomeOf(
  driver: TaskDriver | undefined,
  task: Task,
  events: TaskEvents,
  signal: AbortSignal,
): Promise<TaskOutcome> {
  if (driver === undefined) throw new Error('there is no such engine');
  try {
    const running = await driver.start(task, events, signal);
    const onAbort = (): void => running.stop(0);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    return await running.wait();
  } catch (error) {
    if (!(error instanceof CodedError) || codeOf(error) !== 'TASK_NOT_STARTED') throw error;
    const exitReason = exitReasons.find((reason) => reason === error.data['exitReason']) ?? 'internal';
    return { exitReason, message: error.message, files: [], usage: { wallClockMs: 0, cpuMs: 0 } };
  }
}

const childSchema = z.object({ pid: z.number(), startTimeTicks: z.number() });

function childOf({ state }: TaskHandle): { pid: number; startTimeTicks: number } {
  return childSchema.parse(state);
}

async function stdinOf(stdin: Job['stdin'], base: string): Promise<Task['stdin']> {
  if (stdin === undefined || typeof stdin === 'string') return stdin ?? '';
  const hostPath = join(base, 'stdin');
  await writeFile(hostPath, stdin);
  return { hostPath };
}

/** Whether the process with this pid is still there (a zombie is not). */
export async function isAlive(pid: number): Promise<boolean> {
  return (await sampleProcess(pid)) !== undefined;
}

/** Polls until `condition` holds; the time it took, or `undefined` when `limitMs` passed first. */
export async function timeUntil(
  condition: () => Promise<boolean>,
  limitMs: number,
): Promise<number | undefined> {
  const start = performance.now();
  for (;;) {
    if (await condition()) return performance.now() - start;
    if (performance.now() - start > limitMs) return undefined;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
