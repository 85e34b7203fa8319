import { systemRandom } from '../../../../src/lib/random.ts';
import { DescriptorTable } from '../../../../src/provider/sandbox/child/descriptors.ts';
import { fileCalls } from '../../../../src/provider/sandbox/child/file-calls.ts';
import type { DirectoryNode } from '../../../../src/provider/sandbox/child/file-nodes.ts';
import { FileTree } from '../../../../src/provider/sandbox/child/file-tree.ts';
import { GuestMemory } from '../../../../src/provider/sandbox/child/guest-memory.ts';
import { OutputQuota } from '../../../../src/provider/sandbox/child/output-quota.ts';
import { PageStore } from '../../../../src/provider/sandbox/child/page-store.ts';
import { pathCalls } from '../../../../src/provider/sandbox/child/path-calls.ts';
import { processCalls } from '../../../../src/provider/sandbox/child/process-calls.ts';
import type { SandboxEnd } from '../../../../src/provider/sandbox/child/sandbox-task.ts';
import { ERRNO, WasiError } from '../../../../src/provider/sandbox/child/wasi-values.ts';
import type { WasiContext } from '../../../../src/provider/sandbox/child/wasi-context.ts';

const MIB = 1024 * 1024;
const NO_SPOOL = -1;
/** Standard input, output and error come first. */
export const FIRST_PREOPENED = 3;

type Ending = Omit<SandboxEnd, 'cpuMs'>;

/** Thrown through the program, as nothing may come back from its end. */
export class ProgramEnd extends Error {
  /** What follows from being thrown out, such as a trap, does not count. */
  readonly first: Ending;

  constructor(first: Ending) {
    super(first.message);
    this.first = first;
  }
}

export interface WasiWorld {
  readonly context: WasiContext;
  readonly printed: Record<'stdout' | 'stderr', Uint8Array[]>;
  /** A folder to write to. */
  readonly folder: DirectoryNode;
}

/** What one program works on, without a process around it. */
export function wasiWorld(
  given: Partial<Pick<WasiContext, 'args' | 'env'>> & {
    /** What the program knows its folder by; without it there is none. */
    readonly preopened: string | undefined;
    readonly memory?: GuestMemory;
  },
): WasiWorld {
  let first: Ending | undefined;
  const end = (ending: Ending): never => {
    first ??= ending;
    throw new ProgramEnd(first);
  };
  const quota = new OutputQuota({ outputBytes: 16 * MIB, outputFiles: 10_000 }, end);
  const tree = new FileTree(new PageStore(64 * MIB, NO_SPOOL), quota, nowNs);
  const folder = tree.place('/folder', true);
  const { preopened } = given;
  const printed: WasiWorld['printed'] = { stdout: [], stderr: [] };
  const context: WasiContext = {
    args: given.args ?? [],
    env: given.env ?? [],
    memory: given.memory ?? new GuestMemory(),
    descriptors: new DescriptorTable([
      { kind: 'stdin', source: { read: () => 0 }, position: 0 },
      { kind: 'print', stream: 'stdout' },
      { kind: 'print', stream: 'stderr' },
      ...(preopened === undefined ? [] : [{ kind: 'directory', directory: folder, preopened } as const]),
    ]),
    tree,
    quota,
    print: (stream, bytes, start, end) => void printed[stream].push(bytes.slice(start, end)),
    end,
    fillRandom: (bytes) => {
      bytes.set(systemRandom.bytes(bytes.length));
    },
    nowNs,
    monotonicNs: () => BigInt(Math.round(performance.now() * 1e6)),
    cpuNs: () => BigInt(Math.round(performance.now() * 1e6)),
  };
  return { context, printed, folder };
}

function nowNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}

/** Makes calls as a program would and gives back the error numbers it would see. */
export class WasiCaller {
  readonly world: WasiWorld;
  readonly #bytes = new ArrayBuffer(64 * 1024);
  readonly #calls: Readonly<Record<string, (...args: never[]) => void>>;

  constructor() {
    const memory = new GuestMemory();
    memory.attach({ buffer: this.#bytes });
    this.world = wasiWorld({ memory, preopened: '/' });
    const { context } = this.world;
    this.#calls = { ...fileCalls(context), ...pathCalls(context), ...processCalls(context) };
  }

  get view(): DataView {
    return new DataView(this.#bytes);
  }

  call(name: string, ...args: (number | bigint)[]): number {
    const call = this.#calls[name];
    if (call === undefined) throw new Error(`there is no call ${name}`);
    try {
      Reflect.apply(call, undefined, args);
      return ERRNO.success;
    } catch (error) {
      if (error instanceof WasiError) return error.errno;
      throw error;
    }
  }

  /** Puts text into the memory and gives its address and length. */
  text(text: string, at = 1024): [at: number, length: number] {
    const bytes = new TextEncoder().encode(text);
    new Uint8Array(this.#bytes, at, bytes.length).set(bytes);
    return [at, bytes.length];
  }

  /** One buffer for a read or a write: the address of its list and how many are in it. */
  buffer(at: number, length: number): [list: number, count: number] {
    this.view.setUint32(512, at, true);
    this.view.setUint32(516, length, true);
    return [512, 1];
  }

  /** Opens below the folder; gives the error number and the descriptor. */
  open(path: string, options: { oflags?: number; rights?: bigint; fdflags?: number } = {}): [number, number] {
    const { oflags = 0, rights = 0n, fdflags = 0 } = options;
    const [at, length] = this.text(path);
    const errno = this.call('path_open', FIRST_PREOPENED, 0, at, length, oflags, rights, 0n, fdflags, 256);
    return [errno, this.view.getUint32(256, true)];
  }
}
