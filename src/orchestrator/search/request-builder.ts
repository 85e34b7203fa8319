import type { BidRequest } from '../../domain/bid.ts';
import type { Job } from '../../domain/job.ts';
import type { Search } from '../../domain/search.ts';

/** What strangers are told of a job: requirements and a digest, never its code, data or environment. */
export function buildBidRequest(
  job: Job,
  search: Search,
  market: { readonly audienceSize: number; readonly peerRecord: Uint8Array },
  options: { readonly wantedBids: number; readonly answerAlwaysUpTo: number },
): BidRequest {
  const { spec } = job;
  const wantedBids = Math.max(options.wantedBids, search.slots);
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
    answerShare: answerShare(market.audienceSize, wantedBids, search.round),
    answerAlways: market.audienceSize <= options.answerAlwaysUpTo,
    exclude: search.exclude,
    requesterRecord: market.peerRecord,
  };
}

/** Twice the wanted number of answers at first; each round doubles the share. 1 when there are no more peers than that. */
function answerShare(audienceSize: number, wantedBids: number, round: number): number {
  if (audienceSize <= wantedBids * 2) return 1;
  return Math.min(1, ((wantedBids * 2) / audienceSize) * 2 ** (round - 1));
}
