import { MAX_NAME_BYTES, MAX_PATH_DEPTH } from '../program/path-bounds.ts';

/** Bounds of one job description; listed in specs/limits.md. */
export const jobLimits = {
  nameLength: 128,
  labels: 32,
  args: 256,
  argLength: 8192,
  envVariables: 128,
  envLength: 32_768,
  /** Longer text travels as content. */
  stdinLength: 65_536,
  inlineBytes: 1_048_576,
  partitions: 1000,
  gpuGroups: 8,
  constraints: 32,
  constraintBytes: 24_576,
  inputs: 64,
  outputs: 16,
  pathLength: 512,
  pathDepth: MAX_PATH_DEPTH,
  nameBytes: MAX_NAME_BYTES,
  programBytes: 1_835_008,
  peers: 64,
} as const;
