import { type Clock, patient } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import { type AttemptSettings, runAttempt, type WatchdogOptions } from '../sandbox/sandbox-run.ts';
import { findBubblewrap } from '../sandbox/bubblewrap.ts';
import { endProcess } from '../sandbox/child-process.ts';
import type { ExecutionOutcome, Executor } from '../task-driver.ts';
import { findPythonRuntime } from '../sandbox/python-runtime.ts';
import { prepareSandboxCode } from '../sandbox/code.ts';

/** The version of this WASI preview 1 engine, as constraints see it. */
const WASM_ENGINE_VERSION = '1.0.0';

const DEFAULT_WATCHDOG: WatchdogOptions = {
  intervalMs: 250,
  startTimeoutMs: 20_000,
  collectTimeoutMs: 120_000,
};

/**
 * What a child takes beside the memory of its program, measured on small programs with room to spare: its runtime, the
 * module and what is compiled of it, and files that are kept in memory. The pages of Node.js itself, 47 MiB, are not
 * in it: all children share them with this process.
 */
const RUNTIME_MEMORY = {
  wasm: 64 * 1024 * 1024,
  python: 128 * 1024 * 1024,
};

export interface WasiExecutorOptions {
  /** The Node that runs the children. */
  readonly nodePath: string;
  /** Like `PATH`; `bwrap` is looked for there. */
  readonly searchPath: string;
  readonly useBubblewrap: 'auto' | 'never';
  readonly clock: Clock;
  readonly random: Random;
  readonly watchdog?: Partial<WatchdogOptions>;
}

/**
 * Runs WASI preview 1 commands, and Python scripts on a CPython that is one. The program gets a file system of
 * its own in memory and no way to the host; it runs in a Node child without rights, inside bubblewrap where
 * that works. A module whose memory cannot grow any more and that traps then counts as `out-of-memory`; one
 * that handles it ends as it likes: Python's MemoryError is exit code 1.
 */
export function createWasiExecutor(options: WasiExecutorOptions): Executor {
  const { clock, random, nodePath } = options;
  // Programs that are only looked at run beside a start that keeps this process busy.
  const patience = patient(clock);
  const watchdog = { ...DEFAULT_WATCHDOG, ...options.watchdog };
  let prepared: Promise<AttemptSettings> | undefined;
  const prepare = (): Promise<AttemptSettings> => {
    prepared ??= Promise.all([
      options.useBubblewrap === 'never' ? undefined : findBubblewrap(patience, options.searchPath, nodePath),
      findPythonRuntime(),
      prepareSandboxCode(patience, nodePath),
    ]).then(([bubblewrapPath, python, code]) => ({
      clock,
      random,
      nodePath,
      watchdog,
      runtimeMemory: RUNTIME_MEMORY,
      bubblewrapPath,
      python,
      code,
    }));
    // What failed once, on a busy machine, may work the next time.
    prepared.catch(() => {
      prepared = undefined;
    });
    return prepared;
  };
  return {
    runtimeMemory: RUNTIME_MEMORY,
    probe: async () => {
      const { bubblewrapPath, python } = await prepare();
      return {
        engines: { wasm: WASM_ENGINE_VERSION },
        runtimes: python === undefined ? {} : { python: python.version },
        isolation: bubblewrapPath === undefined ? 'process' : 'bubblewrap',
      };
    },
    run: async (task, sink, signal) => {
      const settings = await prepare();
      if (task.engine === 'python' && settings.python === undefined) return withoutPython;
      return runAttempt(settings, task, sink, signal);
    },
    reap: ({ pid, startTimeTicks }) => endProcess(pid, startTimeTicks),
  };
}

const withoutPython: ExecutionOutcome = {
  exitReason: 'denied',
  message: 'There is no Python on this node.',
  files: [],
  usage: { wallClockMs: 0, cpuMs: 0 },
};
