import { costNano } from '../money.ts';
import type { EligibleComputeProviderData, Rank } from '../search.ts';
import { loadRanker } from './load.ts';
import { ownNodeRanker } from './own-node.ts';
import { priceRanker } from './price.ts';
import type { Contender, RankingContext, Ranker, ReceivedBid } from './ranker.ts';
import { softConstraintRanker } from './soft-constraints.ts';
import { startTimeRanker } from './start-time.ts';
import { weightsFor } from './weights.ts';

export type { RankingContext, ReceivedBid } from './ranker.ts';
export { DEFAULT_WEIGHTS, type RankerWeights, weightsFor } from './weights.ts';

const RANKERS: readonly Ranker[] = [
  priceRanker,
  softConstraintRanker,
  loadRanker,
  startTimeRanker,
  ownNodeRanker,
];

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** The currency most bids are in, the first by name where several are. */
function usualCurrency(bids: readonly ReceivedBid[]): string {
  const counts = new Map<string, number>();
  for (const { bid } of bids) {
    const { currency } = bid.value.price;
    counts.set(currency, (counts.get(currency) ?? 0) + 1);
  }
  const [first] = [...counts].sort(([a, countA], [b, countB]) => countB - countA || compareText(a, b));
  return first?.[0] ?? '';
}

/** The weighted mean, in thousandths; rankers without weight do not count. */
function scoreOf(ranks: readonly Rank[]): number {
  let sum = 0;
  let weights = 0;
  for (const rank of ranks) {
    sum += rank.value * rank.weight;
    weights += rank.weight;
  }
  return weights === 0 ? 0 : Math.floor(sum / weights);
}

interface Ranked {
  readonly own: boolean;
  readonly contender: Contender;
  readonly data: EligibleComputeProviderData;
}

/** Own bids last; then the higher score, the lower cost, and at last the ids, so that no two runs differ. */
function bestFirst(a: Ranked, b: Ranked): number {
  if (a.own !== b.own) return a.own ? 1 : -1;
  if (a.data.score !== b.data.score) return b.data.score - a.data.score;
  const [costA, costB] = [a.contender.costNano, b.contender.costNano];
  if (costA !== costB) return costA < costB ? -1 : 1;
  return (
    compareText(a.contender.provider, b.contender.provider) ||
    compareText(a.contender.bid.bidId, b.contender.bid.bidId)
  );
}

/**
 * Puts bids in order, best first, each with every ranker's opinion and the reason for it. Pure: the order of
 * `bids` makes no difference.
 */
export function rankBids(
  bids: readonly ReceivedBid[],
  context: RankingContext,
): EligibleComputeProviderData[] {
  const currency = context.currency ?? usualCurrency(bids);
  const weights = { ...weightsFor(context.prefer, context.weights), 'own-node': 0 };
  const contenders = bids.map((received) => ({
    bid: received.bid.value,
    provider: received.bid.signer,
    costNano: costNano(received.bid.value.price, context.executionTimeoutMs),
    received,
  }));
  const judges = RANKERS.map((ranker) => ({
    name: ranker.name,
    judge: ranker.prepare({ contenders, self: context.self, currency }),
  }));
  const ranked = contenders.map((contender): Ranked => {
    const { provider, received } = contender;
    const ranks = judges.map(({ name, judge }) => ({ name, weight: weights[name], ...judge(contender) }));
    const score = scoreOf(ranks);
    return { own: provider === context.self, contender, data: { provider, ...received, score, ranks } };
  });
  return ranked.sort(bestFirst).map(({ data }) => data);
}
