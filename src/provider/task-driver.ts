import type { RuntimeMemory } from '../domain/matching/runtime-memory.ts';
import type { Env, ExitReason } from '../domain/program/task.ts';

/** What is enforced on one attempt. Reaching one ends the attempt with the reason named here. */
export interface ExecutionLimits {
  /** `timeout` */
  readonly wallClockMs: number;
  /** `out-of-memory` */
  readonly memoryBytes: number;
  /** Standard output, standard error and output files together: `output-limit`. */
  readonly outputBytes: number;
  /** Output files and folders: `output-limit`. */
  readonly outputFiles: number;
}

/** Everything one attempt may see. Paths are on this machine; the program sees only the targets. */
export interface ExecutionTask {
  readonly executionId: string;
  /** An empty folder that belongs to this attempt alone; the caller removes it afterwards. */
  readonly folder: string;
  readonly engine: 'wasm' | 'python';
  /** The WASM module or the Python script. */
  readonly programPath: string;
  readonly args: readonly string[];
  readonly env: Env;
  /** The text itself, or a file of this machine. */
  readonly stdin: string | { readonly hostPath: string };
  /** Read-only inside: `target` is an absolute path as the program sees it. */
  readonly inputs: readonly { readonly target: string; readonly hostPath: string }[];
  /** Folders the program may write to, as absolute paths; what is left there is the result. */
  readonly outputs: readonly { readonly name: string; readonly path: string }[];
  readonly limits: ExecutionLimits;
}

export type OutputStream = 'stdout' | 'stderr';

/** Receives what the program prints, as it is printed. */
export interface ExecutionSink {
  /** Called with the child's pid as soon as it is known, before the program starts; the child waits for the promise. */
  started(process: { readonly pid: number; readonly startTimeTicks: number }): Promise<void>;
  /** Nothing more is read of the program's output until the promise is settled: it prints no faster than it is written. */
  output(stream: OutputStream, bytes: Uint8Array): Promise<void>;
}

export interface ExecutionOutcome {
  readonly exitReason: ExitReason;
  /** The program's own exit code where it ended by itself, all 32 bits. */
  readonly exitCode?: number;
  /** One sentence for people. */
  readonly message: string;
  /** Regular files below `outputs`, never links; `hostPath` is inside the attempt's folder. */
  readonly files: readonly {
    readonly output: string;
    readonly path: string;
    readonly hostPath: string;
    readonly size: number;
  }[];
  readonly usage: { readonly wallClockMs: number; readonly cpuMs: number };
}

/** What an executor offers on this machine, as advertised in capabilities. */
export interface EngineOffer {
  /** Engine name -> version, e.g. `wasm` -> `1.0.0`. */
  readonly engines: Readonly<Record<string, string>>;
  /** Runtime name -> version, e.g. `python` -> `3.12.0`. */
  readonly runtimes: Readonly<Record<string, string>>;
  /** How attempts are isolated here: `process` alone or inside `bubblewrap`. */
  readonly isolation: 'process' | 'bubblewrap';
}

/**
 * Runs attempts. One child process and one folder per attempt; the child has no ambient rights and ends
 * with this process even when this process is killed with SIGKILL.
 */
export interface Executor {
  /** What an attempt takes beside the memory of its program; it may have both together. Left out: nothing is booked. */
  readonly runtimeMemory?: RuntimeMemory;
  /** What can run here; probed once, bounded in time. */
  probe(): Promise<EngineOffer>;
  /**
   * Runs one attempt to its end. Never rejects for something the program did: that is an outcome.
   * Aborting the signal ends the child and gives `cancelled`.
   */
  run(task: ExecutionTask, sink: ExecutionSink, signal: AbortSignal): Promise<ExecutionOutcome>;
  /** Ends a child left over from an earlier run of this node, if that very process (pid and start time) still lives. */
  reap(process: { readonly pid: number; readonly startTimeTicks: number }): Promise<void>;
}
