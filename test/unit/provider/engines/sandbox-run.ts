import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../../src/lib/clock.ts';
import { systemRandom } from '../../../../src/lib/random.ts';
import type {
  ExecutionLimits,
  ExecutionOutcome,
  ExecutionTask,
  Executor,
} from '../../../../src/provider/task-driver.ts';
import { createWasiExecutor } from '../../../../src/provider/engines/wasi-executor.ts';

export type Isolation = 'process' | 'bubblewrap';

export const MIB = 1024 * 1024;

const LIMITS: ExecutionLimits = {
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
  readonly outputs?: ExecutionTask['outputs'];
  readonly limits?: Partial<ExecutionLimits>;
  readonly signal?: AbortSignal;
  readonly started?: (process: { pid: number; startTimeTicks: number }) => Promise<void>;
  readonly printed?: (text: string) => void | Promise<void>;
  readonly prepare?: (folder: string) => Promise<void>;
}

export interface JobResult {
  readonly outcome: ExecutionOutcome;
  readonly stdout: string;
  readonly stderr: string;
  readonly printedBytes: number;
  /** Contents by `output:path`. */
  readonly files: Readonly<Record<string, string>>;
  /** What the attempt left in its folder. */
  readonly left: readonly string[];
}

export function executorFor(isolation: Isolation): Executor {
  return createWasiExecutor({
    nodePath: process.execPath,
    searchPath: process.env['PATH'] ?? '',
    useBubblewrap: isolation === 'bubblewrap' ? 'auto' : 'never',
    clock: systemClock,
    random: systemRandom,
  });
}

/** Runs one job in a folder of its own, which is gone afterwards. */
export async function runJob(executor: Executor, job: Job): Promise<JobResult> {
  const base = await mkdtemp(join(tmpdir(), 'bidmesh-executor-'));
  try {
    return await runJobIn(base, executor, job);
  } finally {
    await rm(base, { recursive: true, force: true });
  }
}

async function runJobIn(base: string, executor: Executor, job: Job): Promise<JobResult> {
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
  const outcome = await executor.run(
    {
      executionId: 'execution-1',
      folder,
      engine: job.engine ?? 'wasm',
      programPath,
      args: job.args ?? [],
      env: job.env ?? {},
      stdin: await stdinOf(job.stdin, base),
      inputs,
      outputs: job.outputs ?? [{ name: 'out', path: '/outputs' }],
      limits: { ...LIMITS, ...job.limits },
    },
    {
      started: async (process) => job.started?.(process),
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

async function stdinOf(stdin: Job['stdin'], base: string): Promise<ExecutionTask['stdin']> {
  if (stdin === undefined || typeof stdin === 'string') return stdin ?? '';
  const hostPath = join(base, 'stdin');
  await writeFile(hostPath, stdin);
  return { hostPath };
}

/** Whether the process with this pid is still there (a zombie is not). */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
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
