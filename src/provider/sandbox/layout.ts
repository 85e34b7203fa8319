import { realpath } from 'node:fs/promises';
import { bubblewrapArgs, type ReadOnlyBind } from './bubblewrap.ts';
import type { Task, TaskLimits } from '../task-driver.ts';
import type { SandboxTask } from './child/sandbox-task.ts';
import type { WasiProgram } from './wasi-program.ts';

const WASM_PAGE_BYTES = 64 * 1024;
const MAX_WASM_PAGES = 65_536;
/** Bounds the runtime's own objects: open files, names in folders, tables. The program's memory is not in it. */
const HEAP_MEBIBYTES = 128;
const MAX_TABLE_ENTRIES = 1_000_000;
/** There is no other folder that relative paths of every WASI program lead to. */
const STARTING_FOLDER = { name: 'files', path: '/' };
const SEED_BYTES = 48;

/** How one attempt is started and what it is told. */
export interface SandboxLayout {
  readonly file: string;
  readonly args: readonly string[];
  readonly task: SandboxTask;
}

export interface LayoutOptions {
  readonly nodePath: string;
  readonly bubblewrapPath: string | undefined;
  /** The program of the child. */
  readonly codePath: string;
  readonly seed: Uint8Array;
}

export const SEED_LENGTH_BYTES = SEED_BYTES;

/** Works out the command line and the task of an attempt. Rejects where a file that it names is not there. */
export async function layOut(
  task: Task,
  program: WasiProgram,
  options: LayoutOptions,
): Promise<SandboxLayout> {
  const place = placer(options.bubblewrapPath !== undefined);
  const codePath = await place.add(options.codePath, '/sandbox/child.mjs');
  const modulePath = await place.add(program.modulePath, '/sandbox/program');
  const inputs: { target: string; path: string }[] = [];
  for (const [index, { target, hostPath }] of program.inputs.entries()) {
    inputs.push({ target, path: await place.add(hostPath, `/sandbox/inputs/${index}`) });
  }
  const stdin =
    typeof task.stdin === 'string'
      ? task.stdin
      : { path: await place.add(task.stdin.hostPath, '/sandbox/stdin') };
  const nodeArgs = [
    ...runtimeFlags(task.limits),
    ...program.nodeFlags,
    ...place.binds.map(({ sandboxPath }) => `--allow-fs-read=${sandboxPath}`),
    codePath,
  ];
  const { bubblewrapPath, nodePath } = options;
  return {
    file: bubblewrapPath ?? nodePath,
    args:
      bubblewrapPath === undefined
        ? nodeArgs
        : bubblewrapArgs(nodePath, nodeArgs, place.binds, { reportsPid: true }),
    task: {
      modulePath,
      args: program.args,
      env: Object.entries(program.env).map(([name, value]) => `${name}=${value}`),
      stdin,
      inputs,
      outputs: outputsOf(task),
      memoryBytes: task.limits.memoryBytes,
      outputBytes: task.limits.outputBytes,
      outputFiles: task.limits.outputFiles,
      seed: Buffer.from(options.seed).toString('base64'),
    },
  };
}

/**
 * Where a job names no outputs, what its program leaves in the folder it starts in is the result: whoever runs
 * `open('result.csv', 'w')` expects to get the file.
 */
export function outputsOf({ outputs }: Task): Task['outputs'] {
  return outputs.length === 0 ? [STARTING_FOLDER] : outputs;
}

function runtimeFlags({ memoryBytes }: TaskLimits): string[] {
  const pages = Math.min(MAX_WASM_PAGES, Math.floor(memoryBytes / WASM_PAGE_BYTES));
  return [
    '--permission',
    '--allow-worker',
    '--no-addons',
    '--no-warnings',
    '--disable-sigusr1',
    `--max-old-space-size=${HEAP_MEBIBYTES}`,
    `--wasm-max-mem-pages=${pages}`,
    `--wasm-max-table-size=${MAX_TABLE_ENTRIES}`,
  ];
}

/** Collects what the child may read and says where the child finds it. */
function placer(wrapped: boolean): {
  readonly binds: ReadOnlyBind[];
  add(path: string, sandboxPath: string): Promise<string>;
} {
  const binds: ReadOnlyBind[] = [];
  return {
    binds,
    add: async (path, sandboxPath) => {
      // Grants and binds are for one place; a link would be a second name for another.
      const hostPath = await realpath(path);
      const bind = { hostPath, sandboxPath: wrapped ? sandboxPath : hostPath };
      binds.push(bind);
      return bind.sandboxPath;
    },
  };
}
