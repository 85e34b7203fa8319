import type { OrchestrationType } from '../domain/job/job.ts';
import type { RankerWeights } from '../domain/ranking/index.ts';
import { defaultStrikeLimits, type StrikeLimits } from '../domain/trust/strike-history.ts';

export interface OrchestratorOptions {
  readonly defaultOrchestrationType: OrchestrationType;
  readonly defaultSearchTimeoutMs: number;
  readonly wantedBids: number;
  /** Rank weights over the ones that `prefer` gives. */
  readonly weights: Partial<RankerWeights>;
  readonly limits: OrchestratorLimits;
}

/** Bounds of the requester; listed in specs/limits.md. */
export interface OrchestratorLimits {
  /** Searches on the air at once; further jobs are Queued. */
  readonly maxOpenSearches: number;
  /** Jobs that are not in an end state. */
  readonly maxOpenJobs: number;
  readonly maxBidsPerSearch: number;
  /** Of one search: bidders that were turned away and whose next bid is not looked at. */
  readonly rememberedBidders: number;
  readonly maxSearchRounds: number;
  /** After enough bids, how long to wait for a better one. */
  readonly quietMs: number;
  /** How long a round lasts in which only a part of the network was asked to answer; a wider one follows. */
  readonly partialWindowMs: number;
  /** How long a node without peers waits for one to appear before it serves itself. */
  readonly loneGraceMs: number;
  /** How long everybody's answer is not enough, where providers that could take the job hear of it through others. */
  readonly indirectMs: number;
  /** How long connected providers that never answered are waited for, once one that kept a contract has bid. */
  readonly newcomerMs: number;
  /** A committed execution whose provider was silent for longer is lost. */
  readonly lostAfterMs: number;
  /** Added to `acceptWithin` before a partition may be placed elsewhere without an answer. */
  readonly acceptMarginMs: number;
  /** How often deadlines and silence are looked at. */
  readonly watchPeriodMs: number;
  readonly orphanAfterMs: number;
  readonly retentionMs: number;
  readonly maxOutputBytes: number;
  readonly workers: number;
  /** Audiences up to this size are all expected to answer. */
  readonly answerAlwaysUpTo: number;
  /** Against providers. */
  readonly strikes: StrikeLimits;
}

export const defaultOrchestratorLimits: OrchestratorLimits = {
  maxOpenSearches: 64,
  maxOpenJobs: 100_000,
  maxBidsPerSearch: 64,
  rememberedBidders: 2048,
  maxSearchRounds: 5,
  quietMs: 50,
  partialWindowMs: 2000,
  loneGraceMs: 300,
  indirectMs: 1000,
  newcomerMs: 250,
  lostAfterMs: 5000,
  acceptMarginMs: 2000,
  watchPeriodMs: 500,
  orphanAfterMs: 10 * 60_000,
  retentionMs: 60 * 60_000,
  maxOutputBytes: 256 * 1024 * 1024,
  workers: 8,
  answerAlwaysUpTo: 32,
  strikes: defaultStrikeLimits,
};
