const MIB = 1024 * 1024;
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
};

export interface ContentOptions {
  /** Holds the blocks and the journal; it belongs to the content store alone. */
  readonly folder: string;
  readonly limits?: Partial<ContentLimits>;
}
