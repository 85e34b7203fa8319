import type { Duplex } from 'node:stream';
import type { Env, ExitReason } from '../domain/program/task.ts';
import { CodedError } from '../lib/coded-error.ts';
import type { OutputStream, TaskHandle } from './ports.ts';

/** What is enforced on one task. Reaching one ends the task with the reason named here. */
export interface TaskLimits {
  /** `timeout` */
  readonly wallClockMs: number;
  /** `out-of-memory` */
  readonly memoryBytes: number;
  /** Standard output, standard error and output files together: `output-limit`. */
  readonly outputBytes: number;
  /** Output files and folders: `output-limit`. */
  readonly outputFiles: number;
}

/** Everything one run of an execution may see. Paths are on this machine; the program sees only the targets. */
export interface Task {
  readonly executionId: string;
  /** Counts within its execution, from 1: a batch job has one. */
  readonly run: number;
  /** An empty folder that belongs to this task alone; the caller removes it afterwards. */
  readonly folder: string;
  /** The engine's params that are content, by name: the file that each lies in. */
  readonly content: Readonly<Record<string, string>>;
  /** The engine's other params, by name. */
  readonly params: Readonly<Record<string, unknown>>;
  readonly args: readonly string[];
  readonly env: Env;
  /** The text itself, or a file of this machine. */
  readonly stdin: string | { readonly hostPath: string };
  /** Read-only inside: `target` is an absolute path as the program sees it. */
  readonly inputs: readonly { readonly target: string; readonly hostPath: string }[];
  /** Folders the program may write to, as absolute paths; what is left there is the result. */
  readonly outputs: readonly { readonly name: string; readonly path: string }[];
  readonly limits: TaskLimits;
}

/** What a task tells while it runs. */
export interface TaskEvents {
  /** The task can be found again by this handle. It does not begin its work before the promise has resolved. */
  readonly started: (handle: TaskHandle) => Promise<void>;
  /** Nothing more is read of the task's output until the promise is settled: it prints no faster than it is written. */
  readonly output: (stream: OutputStream, bytes: Uint8Array) => Promise<void>;
}

export interface TaskOutcome {
  readonly exitReason: ExitReason;
  /** The program's own exit code where it ended by itself, all 32 bits. */
  readonly exitCode?: number;
  /** One sentence for people. */
  readonly message: string;
  /** Regular files below `outputs`, never links; `hostPath` is inside the task's folder. */
  readonly files: readonly {
    readonly output: string;
    readonly path: string;
    readonly hostPath: string;
    readonly size: number;
  }[];
  readonly usage: { readonly wallClockMs: number; readonly cpuMs: number };
}

/** What a task takes just now. */
export interface TaskStats {
  readonly cpuMs: number;
  readonly memoryBytes: number;
}

/** The same, beside the engine that the task is of. */
export interface TaskLoad extends TaskStats {
  readonly engine: string;
}

/** One end of a terminal session, or of a command without one, inside a running task. */
export interface TaskSession {
  readonly stream: Duplex;
  resize(columns: number, rows: number): void;
  readonly ended: Promise<{ readonly exitCode: number }>;
}

/** A task that runs, as its driver holds it. */
export interface RunningTask {
  readonly handle: TaskHandle;
  /** Its end. Never rejects for something the program did: that is an outcome. May be asked more than once. */
  wait(): Promise<TaskOutcome>;
  /** Asks it to end, and ends it after `graceMs` where it has not: `cancelled`. One that cannot be asked ends at once. */
  stop(graceMs: number): void;
  /** Throws `SIGNAL_UNSUPPORTED` for what the fingerprint does not list. */
  signal(name: NodeJS.Signals): Promise<void>;
  /** Undefined where it has ended. */
  stats(): Promise<TaskStats | undefined>;
  /** A stream between this node and the program, apart from its output. */
  channel?(): Promise<Duplex>;
  /** A connection to a port that the program listens on. */
  dial?(port: number): Promise<Duplex>;
  /** A command beside the program, with a terminal or without. */
  exec?(command: readonly string[], tty: boolean): Promise<TaskSession>;
}

/** The parts of {@link RunningTask} that an engine may have or not. */
export type TaskExtra = 'channel' | 'dial' | 'exec';

/** What an engine is on this machine. */
export type Fingerprint =
  | {
      readonly usable: true;
      /** As constraints see it. */
      readonly version: string;
      /** Interpreters and the like that come with it, by name. */
      readonly runtimes: Readonly<Record<string, string>>;
      /** What stands between a task and this machine, such as `process` or `bubblewrap`. */
      readonly isolation: string;
      /** The limits that are kept whatever the program does. */
      readonly enforces: readonly (keyof TaskLimits)[];
      /** What a task takes beside the memory of its program; it may have both together. 0: nothing is booked. */
      readonly runtimeMemoryBytes: number;
      /** Its tasks go on while the node is away, and are recovered. */
      readonly outlivesNode: boolean;
      readonly signals: readonly NodeJS.Signals[];
      readonly extras: readonly TaskExtra[];
    }
  | { readonly usable: false; readonly why: string };

export type Recovered =
  | { readonly state: 'running'; readonly task: RunningTask }
  | { readonly state: 'gone' };

/** Runs the tasks of one engine on this machine. Adding an engine means filling this, and the pure side in `engines/`. */
export interface TaskDriver {
  readonly engine: string;
  /** What can run here; looked at once, bounded in time. */
  fingerprint(): Promise<Fingerprint>;
  /**
   * Begins a task; resolves once it is at work. Rejects with `TASK_NOT_STARTED` (see {@link notStarted}) where it
   * comes to nothing before that, also because `signal` is aborted meanwhile; then nothing is left of it.
   */
  start(task: Task, events: TaskEvents, signal: AbortSignal): Promise<RunningTask>;
  /** After a restart of the node: the task goes on, or is no more. What it prints from now on is told to `output`. */
  recover(handle: TaskHandle, output: TaskEvents['output']): Promise<Recovered>;
  /** What is still there of an earlier life of this node and was not recovered: of `recorded`, and what the engine finds. */
  leftovers(recorded: readonly TaskHandle[]): Promise<readonly TaskHandle[]>;
  /** Ends a task if it lives and removes what the engine keeps of it. Safe at any time, also twice. */
  destroy(handle: TaskHandle): Promise<void>;
}

/** A task came to nothing before its program began; the program is at fault only where `exitReason` says so. */
export function notStarted(exitReason: ExitReason, message: string, cause?: unknown): CodedError {
  return new CodedError('TASK_NOT_STARTED', message, { cause, data: { exitReason } });
}
