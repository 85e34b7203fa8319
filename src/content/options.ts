const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const MINUTE_MS = 60_000;

/** Bounds of the content store; listed in specs/limits.md. */
export interface ContentLimits {
  /** All blocks together, those of imports and fetches that are under way included. */
  readonly maxTotalBytes: number;
  /** The blocks of one object. */
  readonly maxObjectBytes: number;
  readonly maxObjectBlocks: number;
  /** Files and folders of one object. */
  readonly maxEntries: number;
  /** The blocks of all objects that one owner keeps. */
  readonly maxOwnerBytes: number;
  readonly maxPinsPerOwner: number;
  /** How long an object is left alone that nobody keeps. */
  readonly collectAfterMs: number;
  readonly collectEveryMs: number;
  readonly collectedBlocksPerRun: number;
  /** The first blocks of an object that together have no more bytes than this are in the database; others are files. */
  readonly inlineObjectBytes: number;
  /** All blocks in the database together: beyond it every block is a file. */
  readonly inlineTotalBytes: number;
}

export const defaultContentLimits: ContentLimits = {
  maxTotalBytes: 10 * GIB,
  maxObjectBytes: 4 * GIB,
  maxObjectBlocks: 200_000,
  maxEntries: 100_000,
  maxOwnerBytes: 5 * GIB,
  maxPinsPerOwner: 1024,
  collectAfterMs: 60 * MINUTE_MS,
  collectEveryMs: MINUTE_MS,
  collectedBlocksPerRun: 2000,
  inlineObjectBytes: 64 * KIB,
  inlineTotalBytes: 128 * MIB,
};

export interface ContentOptions {
  readonly limits?: Partial<ContentLimits>;
}
