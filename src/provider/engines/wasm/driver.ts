import { wasm } from '../../../engines/wasm/engine.ts';
import { createWasiDriver } from '../../sandbox/wasi-driver.ts';
import type { TaskDriver } from '../../task-driver.ts';
import type { DriverHost } from '../driver-host.ts';

/** The version of this WASI preview 1 engine, as constraints see it. */
const VERSION = '1.0.0';
/**
 * What a child takes beside the memory of its program, measured on small programs with room to spare: its runtime, the
 * module and what is compiled of it, and files that are kept in memory. The pages of Node.js itself, 47 MiB, are not
 * in it: all children share them with this process.
 */
const RUNTIME_MEMORY_BYTES = 64 * 1024 * 1024;

/** Runs WebAssembly modules that are WASI preview 1 commands. */
export function createWasmDriver({ sandbox }: DriverHost): TaskDriver {
  return createWasiDriver(sandbox, {
    type: wasm.type,
    runtimeMemoryBytes: RUNTIME_MEMORY_BYTES,
    missing: 'There is no WebAssembly on this node.',
    installed: async () => ({
      version: VERSION,
      runtimes: {},
      programOf: ({ content, args, env, inputs }) => ({
        modulePath: content['module'] ?? '',
        args: ['main.wasm', ...args],
        env,
        inputs,
        nodeFlags: [],
      }),
    }),
  });
}
