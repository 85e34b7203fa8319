import type { EndReason } from '../../domain/market/end-reason.ts';
import type { Execution } from '../../domain/market/execution.ts';

/** What a bid that came to nothing weighs: silence at once, anything else when it comes again. */
const SILENT_WEIGHT = 2;
const BROKEN_WEIGHT = 1;
const WEIGHT_OF_A_TIME = 2;

/** So long a provider is left alone after the first time, and so many times longer after each one more. */
const FIRST_LEFT_ALONE_MS = 10_000;
const LONGER_EACH_TIME = 4;
/** After so many times this job does not ask it again. */
const MOST_TIMES = 3;

/** A provider whose bids came to nothing in this job. */
export interface BrokenBids {
  readonly provider: string;
  /** Lived time: until then it is left alone; endless after {@link MOST_TIMES}. */
  readonly until: number;
  /** What became of the last one. */
  readonly why: EndReason;
}

/**
 * Providers that bid and then do not stand by it. Whoever bids best is asked first, so a bidder that falls silent would
 * have a job for itself as long as it keeps bidding: it is left alone for a while, and then for longer.
 */
export function brokenBids(executions: readonly Execution[]): readonly BrokenBids[] {
  const found = new Map<string, { weight: number; at: number; why: EndReason }>();
  for (const { provider, observed } of executions) {
    const weight = weightOf(observed);
    if (weight === 0 || !('end' in observed)) continue;
    const before = found.get(provider);
    const { finishedAt, why } = observed.end;
    const isNewer = before === undefined || finishedAt >= before.at;
    found.set(provider, {
      weight: (before?.weight ?? 0) + weight,
      at: isNewer ? finishedAt : before.at,
      why: isNewer ? why : before.why,
    });
  }
  return [...found].flatMap(([provider, { weight, at, why }]) => {
    const times = Math.floor(weight / WEIGHT_OF_A_TIME);
    if (times === 0) return [];
    const forMs = FIRST_LEFT_ALONE_MS * LONGER_EACH_TIME ** (times - 1);
    return [{ provider, until: times >= MOST_TIMES ? Number.POSITIVE_INFINITY : at + forMs, why }];
  });
}

function weightOf(observed: Execution['observed']): number {
  if (observed.state === 'AskForBidRejected' || observed.state === 'BidRejected') {
    const { end } = observed;
    // What was not used or has no room now is no broken word.
    if (end.silent === true) return SILENT_WEIGHT;
    return end.exitReason !== 'denied' || end.noRoom === true || end.forGood === true ? 0 : BROKEN_WEIGHT;
  }
  const isLost = observed.state === 'Failed' && observed.contractId === undefined;
  return isLost && observed.end.exitReason === 'lost' ? BROKEN_WEIGHT : 0;
}
