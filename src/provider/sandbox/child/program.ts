import { readFileSync } from 'node:fs';
import { codeOf, messageOf } from '../../../lib/coded-error.ts';
import { fileCalls } from './file-calls.ts';
import { refuseMemories } from './module-memory.ts';
import type { EndProgram } from './output-quota.ts';
import { pathCalls } from './path-calls.ts';
import { processCalls } from './process-calls.ts';
import { ERRNO, WasiError } from './wasi-values.ts';
import type { WasiCall, WasiContext } from './wasi-context.ts';
import { wasm, type WasmInstance, type WasmModule } from './wasm-api.ts';

const WASI = 'wasi_snapshot_preview1';
/** A trap with at least this share of the memory in use is put down to the memory limit. */
const FULL_MEMORY_SHARE = 7 / 8;

type Calls = Readonly<Record<string, (...args: never[]) => number>>;

/** Loads the module and runs it to its end, which is always told through `context.end`. */
export function runProgram(modulePath: string, memoryBytes: number, context: WasiContext): never {
  const calls = guardAll({ ...fileCalls(context), ...pathCalls(context), ...processCalls(context) });
  const module = compile(readModule(modulePath, context.end), calls, context.end);
  const blame = (error: unknown): never => blameProgram(error, memoryBytes, context);
  let start: () => void;
  try {
    const instance = new wasm.Instance(module, { [WASI]: calls });
    start = entryOf(instance, context);
  } catch (error) {
    return isMemoryRefusal(error) ? endOutOfMemory(memoryBytes, context.end) : blame(error);
  }
  try {
    start();
  } catch (error) {
    return blame(error);
  }
  return context.end({ exitReason: 'completed', exitCode: 0, message: 'The program ended.' });
}

function readModule(path: string, end: EndProgram): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    return end({
      exitReason: 'input-unavailable',
      message: `The program cannot be read: ${messageOf(error)}`,
    });
  }
}

function compile(bytes: Uint8Array, calls: Calls, end: EndProgram): WasmModule {
  const refuse = (why: string): never =>
    end({ exitReason: 'invalid-module', message: `${why} A WASI preview 1 command is needed.` });
  const memories = refuseMemories(bytes);
  if (memories !== undefined) return refuse(memories);
  let module: WasmModule;
  try {
    module = new wasm.Module(bytes);
  } catch (error) {
    return refuse(`The module does not compile: ${messageOf(error)}.`);
  }
  const imports = wasm.Module.imports(module);
  const unknown = imports.find(
    ({ module: from, name, kind }) => from !== WASI || kind !== 'function' || !Object.hasOwn(calls, name),
  );
  if (unknown !== undefined) {
    return refuse(`The module imports the ${unknown.kind} "${unknown.module}.${unknown.name}".`);
  }
  const exports = wasm.Module.exports(module);
  if (!exports.some(({ name, kind }) => name === '_start' && kind === 'function')) {
    return refuse('The module exports no function "_start".');
  }
  if (imports.length > 0 && !exports.some(({ name, kind }) => name === 'memory' && kind === 'memory')) {
    return refuse('The module exports no memory "memory".');
  }
  return module;
}

function entryOf(instance: WasmInstance, context: WasiContext): () => void {
  const memory = instance.exports['memory'];
  if (memory instanceof wasm.Memory) context.memory.attach(memory);
  const start = instance.exports['_start'];
  return () => {
    if (typeof start === 'function') Reflect.apply(start, undefined, []);
  };
}

function blameProgram(error: unknown, memoryBytes: number, { memory, end }: WasiContext): never {
  if (memory.sizeBytes >= memoryBytes * FULL_MEMORY_SHARE) return endOutOfMemory(memoryBytes, end);
  return end({ exitReason: 'trap', message: `The program trapped: ${messageOf(error)}.` });
}

function endOutOfMemory(memoryBytes: number, end: EndProgram): never {
  return end({
    exitReason: 'out-of-memory',
    message: `The program needed more than its ${memoryBytes} bytes of memory.`,
  });
}

function isMemoryRefusal(error: unknown): boolean {
  return error instanceof RangeError && error.message.includes('memory');
}

function guardAll(calls: Readonly<Record<string, WasiCall>>): Calls {
  return Object.fromEntries(Object.entries(calls).map(([name, call]) => [name, guard(call)]));
}

/** Turns what a call throws into the number the program gets. */
function guard(call: WasiCall): (...args: never[]) => number {
  // By name, as a list of them would be made for each call; no call of WASI has more.
  return (a: never, b: never, c: never, d: never, e: never, f: never, g: never, h: never, i: never) => {
    try {
      call(a, b, c, d, e, f, g, h, i);
      return ERRNO.success;
    } catch (error) {
      if (error instanceof WasiError) return error.errno;
      if (error instanceof RangeError) return ERRNO.fault;
      if (codeOf(error) !== undefined) return ERRNO.io;
      throw error;
    }
  };
}
