import type { BidRequest } from '../../domain/bid.ts';
import type { Job } from '../../domain/job.ts';
import type { Search } from '../../domain/search.ts';
import type { OrchestratorOptions } from '../options.ts';

/** What strangers are told of a job: requirements and a digest, never its code, data or environment. */
export function buildBidRequest(
  job: Job,
  search: Search,
  market: MarketSize,
  options: Pick<OrchestratorOptions, 'wantedBids' | 'limits'>,
): BidRequest {
  const { spec } = job;
  const wantedBids = Math.max(options.wantedBids, search.slots);
  const direct = market.targets !== undefined;
  return {
    requestId: search.requestId,
    jobId: job.id,
    jobDigest: job.digest,
    round: search.round,
    requirements: {
      resources: spec.resources,
      engine: { type: spec.engine.type },
      constraints: spec.constraints,
      executionTimeoutMs: spec.timeouts.executionMs,
    },
    ...(spec.budget === undefined ? {} : { budget: spec.budget }),
    slots: search.slots,
    wantedBids,
    windowMs: spec.timeouts.searchMs,
    answerShare: direct ? 1 : answerShare(market.networkSize, wantedBids, search.round),
    answerAlways: direct || market.networkSize <= options.limits.answerAlwaysUpTo,
    exclude: search.exclude,
    requesterRecord: market.peerRecord,
  };
}

/** What a request needs to know of the market it goes to. */
export interface MarketSize {
  /** About how many providers there are in all. */
  readonly networkSize: number;
  readonly peerRecord: Uint8Array;
  /** Asked directly: those few all answer. */
  readonly targets?: readonly unknown[] | undefined;
}

/** Twice the wanted number of answers at first; each round doubles the share. 1 when there are no more peers than that. */
function answerShare(networkSize: number, wantedBids: number, round: number): number {
  if (networkSize <= wantedBids * 2) return 1;
  return Math.min(1, ((wantedBids * 2) / networkSize) * 2 ** (round - 1));
}
