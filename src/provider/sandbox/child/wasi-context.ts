import type { DescriptorTable } from './descriptors.ts';
import type { FileTree } from './file-tree.ts';
import type { GuestMemory } from './guest-memory.ts';
import type { EndProgram, OutputQuota } from './output-quota.ts';

export type Stream = 'stdout' | 'stderr';

/** What the calls of one program work on. */
export interface WasiContext {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly memory: GuestMemory;
  readonly descriptors: DescriptorTable;
  readonly tree: FileTree;
  readonly quota: OutputQuota;
  /** Passes on what the program prints, from `start` up to `end`; a slow reader slows the program. */
  readonly print: (stream: Stream, bytes: Uint8Array, start: number, end: number) => void;
  readonly end: EndProgram;
  readonly fillRandom: (bytes: Uint8Array) => void;
  readonly nowNs: () => bigint;
  readonly monotonicNs: () => bigint;
  readonly cpuNs: () => bigint;
}

/** One imported function. What it throws as a `WasiError` becomes its result; otherwise it succeeded. */
export type WasiCall = (...args: never[]) => void;
export type WasiCalls = Readonly<Record<string, WasiCall>>;
