import { type Execution, wasLocked } from '../../domain/market/execution.ts';
import type { EndReason } from '../../domain/market/end-reason.ts';
import { failureCodeOf } from '../../domain/market/negotiation-reason.ts';
import type { EligibleComputeProviderData, Rank, Search } from '../../domain/market/search.ts';
import type { Bid } from '../../openapi/shapes/bid.ts';
import { rankPhrase } from '../../words/rank-words.ts';
import { viewWhy } from './why-view.ts';

export function viewRank({ name, value, weight, why }: Rank): Bid['ranks'][number] {
  return { name, value, weight, reason: rankPhrase(why), why: viewWhy(why) };
}

/** One line per provider, its newest bid; newest round first, in the order the shortlist had. */
export function viewBids(searches: readonly Search[], executions: readonly Execution[]): Bid[] {
  const lines = new Map<string, Bid>();
  for (const search of [...searches].sort((a, b) => b.round - a.round)) {
    for (const entry of search.index.entries) {
      if (!lines.has(entry.provider)) lines.set(entry.provider, viewBid(entry, executions));
    }
  }
  return [...lines.values()];
}

function viewBid(entry: EligibleComputeProviderData, executions: readonly Execution[]): Bid {
  const { bid } = entry;
  const made = executions.filter((execution) => execution.bidId === bid.value.bidId);
  return {
    provider: entry.provider,
    score: entry.score,
    ranks: entry.ranks.map(viewRank),
    price: bid.value.price,
    locked: bid.value.lock !== undefined || made.some(wasLocked),
    state: stateOf(made),
  };
}

/** What became of a bid is written in the executions that were made for it; the best outcome counts. */
function stateOf(executions: readonly Execution[]): Bid['state'] {
  const states = new Set(executions.map(stateOfExecution));
  return OUTCOMES.find((state) => states.has(state)) ?? 'candidate';
}

const OUTCOMES: readonly Bid['state'][] = ['selected', 'failed', 'declined', 'timed-out'];

function stateOfExecution({ observed }: Execution): Bid['state'] {
  switch (observed.state) {
    case 'AskForBidRejected':
      return stateOfRejection(observed.end.why);
    case 'BidRejected':
      return 'candidate';
    case 'Failed':
      return 'failed';
    case 'Cancelled':
      return observed.contractId === undefined ? 'candidate' : 'selected';
    case 'New':
    case 'AskForBid':
    case 'AskForBidAccepted':
    case 'BidAccepted':
    case 'Running':
    case 'Publishing':
    case 'Completed':
      return 'selected';
  }
}

function stateOfRejection({ code, data }: EndReason): Bid['state'] {
  if (code !== 'no-contract') return 'declined';
  const failure = failureCodeOf(data.why);
  if (failure === 'NEGOTIATION_TIMEOUT') return 'timed-out';
  return failure === 'NEGOTIATION_LOST' ? 'failed' : 'declined';
}
