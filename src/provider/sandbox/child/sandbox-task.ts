import type { ExitReason } from '../../../domain/program/task.ts';

/** What the child is told: everything the program will see. Paths to read are as the child sees them. */
export interface SandboxTask {
  readonly modulePath: string;
  /** Starts with the program's own name. */
  readonly args: readonly string[];
  /** `NAME=value` */
  readonly env: readonly string[];
  /** The text itself, or a file to read. */
  readonly stdin: string | { readonly path: string };
  /** Read-only files and folders. */
  readonly inputs: readonly { readonly target: string; readonly path: string }[];
  readonly outputs: readonly { readonly name: string; readonly path: string }[];
  readonly memoryBytes: number;
  readonly outputBytes: number;
  readonly outputFiles: number;
  /** Seeds the program's random numbers, base64. */
  readonly seed: string;
}

/** How the program ended; the payload of the `end` frame. */
export interface SandboxEnd {
  readonly exitReason: ExitReason;
  readonly exitCode?: number;
  readonly message: string;
  readonly cpuMs: number;
}

/** The payload of a `file` frame; `size` bytes of `data` frames follow. */
export interface SandboxFile {
  readonly output: string;
  /** Below the output folder, with forward slashes. */
  readonly path: string;
  readonly size: number;
}

/** An open file of the attempt that the child inherits: what does not fit in memory goes there. */
export const SPOOL_FD = 3;

/** Only the node can write to the child's standard input, so the shape is taken on trust. */
export const parseTask: (text: string) => SandboxTask = JSON.parse;
