/** Bounds of the store; listed in specs/store.md. */
export interface StoreLimits {
  /** Commits that wait for the disk; more are refused with `STORE_BUSY`. */
  readonly waitingCommits: number;
  readonly waitingBytes: number;
  /** One synced batch takes commits up to these, and always at least one. */
  readonly batchOperations: number;
  readonly batchBytes: number;
  /** A larger single commit is refused with `COMMIT_TOO_LARGE`. */
  readonly commitOperations: number;
  readonly commitBytes: number;
  /** Durable snapshots that are kept in memory. */
  readonly cachedJobs: number;
  readonly cachedBytes: number;
  readonly pageItems: number;
  /** Entries that one call of `list` looks at; it answers with a cursor when it stops there. */
  readonly listScan: number;
  readonly eventsPerRead: number;
  readonly watchers: number;
  /** Jobs, and records of the provider, that one call of a prune looks at. */
  readonly pruneScan: number;
  /** A job that ended more recently is not one too many yet: its providers may still have to hear how it ended. */
  readonly pruneGraceMs: number;
  /** Answers to bid requests: beyond these the oldest are dropped. */
  readonly answers: number;
  readonly answerAgeMs: number;
  /** Contracts that this provider said never of: beyond these it says it of no more, with `NEVERS_FULL`. */
  readonly nevers: number;
  readonly metaBytes: number;
  /** How long the node has lived is written with each batch, and at this interval while there is none. */
  readonly livedEveryMs: number;
  /** Starts, and jumps of the wall clock, whose wall times are known. */
  readonly calendarEntries: number;
}

export interface StoreOptions {
  /** Where LevelDB keeps its files. */
  readonly folder: string;
  /** Where larger blocks of content are files. */
  readonly contentFolder: string;
  readonly limits: StoreLimits;
}

/** How long what is over is kept, and how it goes; listed in specs/limits.md. */
export interface RetentionOptions {
  /** Finished jobs with their results, counted from their end. */
  readonly finishedJobsMs: number;
  /** Beyond these the one that ended first goes. */
  readonly finishedJobs: number;
  /** A provider's contracts, counted from their end. */
  readonly endedContractsMs: number;
  /** The same of one whose work had not begun: anybody can close such contracts without end. */
  readonly neverBegunMs: number;
  /** What a provider said of contracts that never were: much longer than a bid and its lock can stand. */
  readonly neversMs: number;
  readonly everyMs: number;
  /** One call looks at `pruneScan` records. */
  readonly callsPerRun: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;

export const defaultRetention: RetentionOptions = {
  finishedJobsMs: 30 * DAY_MS,
  finishedJobs: 10_000,
  endedContractsMs: 30 * DAY_MS,
  neverBegunMs: DAY_MS,
  neversMs: 5 * 60_000,
  everyMs: 15_000,
  callsPerRun: 16,
};

const MIB = 2 ** 20;

export const defaultStoreLimits: StoreLimits = {
  waitingCommits: 4096,
  waitingBytes: 64 * MIB,
  batchOperations: 4096,
  batchBytes: 4 * MIB,
  commitOperations: 32_768,
  commitBytes: 16 * MIB,
  cachedJobs: 2048,
  cachedBytes: 32 * MIB,
  pageItems: 200,
  listScan: 5000,
  eventsPerRead: 1000,
  watchers: 4096,
  pruneScan: 256,
  pruneGraceMs: 60_000,
  answers: 10_000,
  answerAgeMs: 60 * 60 * 1000,
  nevers: 32_768,
  metaBytes: MIB,
  livedEveryMs: 30_000,
  calendarEntries: 256,
};
