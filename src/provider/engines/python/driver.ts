import type { Env } from '../../../domain/program/task.ts';
import { python, SCRIPT_FOLDER } from '../../../engines/python/engine.ts';
import { createWasiDriver, type InstalledProgram } from '../../sandbox/wasi-driver.ts';
import type { Task, TaskDriver } from '../../task-driver.ts';
import type { DriverHost } from '../driver-host.ts';
import { findPythonRuntime, type PythonRuntime } from './runtime.ts';

/** Twice that of a small module: Python's own module is larger. */
const RUNTIME_MEMORY_BYTES = 128 * 1024 * 1024;
/**
 * This build of CPython was compiled without optimisation: each of its many small functions is called, and V8 alone
 * can put them into their callers. Its own bounds are for code whose compiler did that; it also compiles sooner.
 */
const NODE_FLAGS = [
  '--wasm-inlining-budget=20000',
  '--wasm-inlining-max-size=1500',
  '--wasm-inlining-factor=10',
  '--wasm-inlining-min-budget=1000',
  '--wasm-tiering-budget=5000000',
];
const SCRIPT = `${SCRIPT_FOLDER}/main.py`;
const LIBRARY = `${SCRIPT_FOLDER}/.python`;

/** Runs Python scripts on a CPython that is a WASI command itself. */
export function createPythonDriver({ sandbox }: DriverHost): TaskDriver {
  let found: Promise<PythonRuntime | undefined> | undefined;
  return createWasiDriver(sandbox, {
    type: python.type,
    runtimeMemoryBytes: RUNTIME_MEMORY_BYTES,
    missing: 'There is no Python on this node.',
    installed: async () => {
      found ??= findPythonRuntime();
      const runtime = await found;
      if (runtime === undefined) return undefined;
      const { version } = runtime;
      return { version, runtimes: { python: version }, programOf: (task) => programOf(task, runtime) };
    },
  });
}

function programOf(
  { content, args, env, inputs }: Task,
  { modulePath, libraryPath, timeZonesPath }: PythonRuntime,
): InstalledProgram {
  return {
    modulePath,
    // -u: what is printed is seen at once.
    args: ['python', '-u', SCRIPT, ...args],
    env: { PYTHONDONTWRITEBYTECODE: '1', ...env, PYTHONPATH: pythonPathOf(env) },
    inputs: [
      ...inputs,
      { target: SCRIPT, hostPath: content['script'] ?? '' },
      { target: LIBRARY, hostPath: libraryPath },
      { target: `${LIBRARY}/time-zones.json`, hostPath: timeZonesPath },
    ],
    nodeFlags: NODE_FLAGS,
  };
}

/** Ours comes first, and is taken out again before the script starts. */
function pythonPathOf({ PYTHONPATH }: Env): string {
  return PYTHONPATH === undefined || PYTHONPATH === '' ? LIBRARY : `${LIBRARY}:${PYTHONPATH}`;
}
