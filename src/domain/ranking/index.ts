import { turnIn } from '../market/answer-share.ts';
import { costNano } from '../units/money.ts';
import type { EligibleComputeProviderData, Rank } from '../market/search.ts';
import { GOOD_BEHAVIOUR } from '../trust/strikes.ts';
import { behaviourRanker } from './behaviour.ts';
import { fitRanker } from './fit.ts';
import { lastGpuNode } from './gpu-reserve.ts';
import { loadRanker } from './load.ts';
import { ownNodeRanker } from './own-node.ts';
import { preferredRanker } from './preferred.ts';
import { priceRanker } from './price.ts';
import type { Contender, Field, RankingContext, Ranker, ReceivedBid } from './ranker.ts';
import { roundTripRanker } from './round-trip.ts';
import { behindUntil, silenceRanker } from './silence.ts';
import { softConstraintRanker } from './soft-constraints.ts';
import { startTimeRanker } from './start-time.ts';
import { weightsFor } from './weights.ts';

export type { RankingContext, ReceivedBid } from './ranker.ts';
export { DEFAULT_WEIGHTS, rankerNames, type RankerWeights, weightsFor } from './weights.ts';

const RANKERS: readonly Ranker[] = [
  priceRanker,
  softConstraintRanker,
  loadRanker,
  startTimeRanker,
  fitRanker,
  behaviourRanker,
  roundTripRanker,
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
  readonly preferred: boolean;
  /** This node's, and not preferred. */
  readonly own: boolean;
  /** It did not answer after its last bids. */
  readonly behind: boolean;
  readonly contender: Contender;
  readonly data: EligibleComputeProviderData;
}

/**
 * Preferred bids first, own ones last, and behind those who do not answer after their bids; then score, cost, past behaviour and load. What is the same in all of that takes
 * turns, by a hash of request and provider: no two runs differ, and equal providers share the work.
 */
function bestFirst(a: Ranked, b: Ranked): number {
  if (a.preferred !== b.preferred) return a.preferred ? -1 : 1;
  if (a.behind !== b.behind) return a.behind ? 1 : -1;
  if (a.own !== b.own) return a.own ? 1 : -1;
  if (a.data.score !== b.data.score) return b.data.score - a.data.score;
  const [costA, costB] = [a.contender.costNano, b.contender.costNano];
  if (costA !== costB) return costA < costB ? -1 : 1;
  return (
    b.contender.behaviour.score - a.contender.behaviour.score ||
    a.contender.bid.load - b.contender.bid.load ||
    turnIn(a.contender.bid.requestId, a.contender.provider, b.contender.provider) ||
    compareText(a.contender.provider, b.contender.provider) ||
    compareText(a.contender.bid.bidId, b.contender.bid.bidId)
  );
}

/** Whose bids come after the others, as they or their like did not answer after their last ones. */
function behindOf(
  contenders: readonly Contender[],
  { now, isKnown, isWary, isOnTrial, self }: RankingContext,
): ReadonlySet<string> {
  if (now === undefined) return new Set();
  const isBehind = ({ provider, behaviour }: Contender): boolean =>
    now < behindUntil(behaviour) ||
    (provider !== self &&
      isKnown?.(provider) === false &&
      (isWary === true || isOnTrial?.(provider) === true));
  return new Set(contenders.filter(isBehind).map(({ provider }) => provider));
}

/** Moves the last node with free devices behind the others, where the job wants none of them nor this very node. */
function keepLastGpuNode(ranked: readonly Ranked[], field: Field): readonly Ranked[] {
  const kept = lastGpuNode(
    ranked.map(({ contender }) => contender),
    field,
  );
  const entry = ranked.find(({ contender }) => contender === kept);
  const rest = ranked.filter((other) => other !== entry);
  const others = rest.filter(({ own, behind }) => !own && !behind);
  if (entry === undefined || entry.preferred || others.length === 0) return ranked;
  const ranks = entry.data.ranks.map(
    (rank): Rank =>
      rank.name === 'fit' ? { ...rank, why: { code: 'kept-for-devices', data: { why: rank.why } } } : rank,
  );
  return [
    ...others,
    { ...entry, data: { ...entry.data, ranks } },
    ...rest.filter((one) => !others.includes(one)),
  ];
}

/**
 * Puts bids in order, best first, each with every ranker's opinion and the reason for it. Pure: the order of
 * `bids` makes no difference.
 */
export function rankBids(
  bids: readonly ReceivedBid[],
  context: RankingContext,
): EligibleComputeProviderData[] {
  const { self, behaviourOf, roundTripMs, gpusWanted = 0 } = context;
  const weights = { ...weightsFor(context.prefer, context.weights), 'own-node': 0, preferred: 0, silence: 0 };
  const entrants = bids.map((received) => {
    const provider = received.bid.signer;
    const contender: Contender = {
      bid: received.bid.value,
      provider,
      costNano: costNano(received.bid.value.price, context.executionTimeoutMs),
      behaviour: behaviourOf?.(provider) ?? GOOD_BEHAVIOUR,
      roundTripMs: roundTripMs?.(provider),
    };
    return { received, contender };
  });
  const contenders = entrants.map(({ contender }) => contender);
  const preferred = new Set(context.preferred);
  const currency = context.currency ?? usualCurrency(bids);
  const behind = behindOf(contenders, context);
  const field: Field = { contenders, self, preferred, behind, currency, gpusWanted };
  const rankers = [
    ...RANKERS,
    ...(preferred.size === 0 ? [] : [preferredRanker]),
    ...(behind.size === 0 ? [] : [silenceRanker]),
  ];
  const judges = rankers.map((ranker) => ({ name: ranker.name, judge: ranker.prepare(field) }));
  const ranked = entrants.map(({ contender, received }): Ranked => {
    const { provider } = contender;
    const ranks = judges.map(({ name, judge }) => ({ name, weight: weights[name], ...judge(contender) }));
    const score = scoreOf(ranks);
    const isPreferred = preferred.has(provider);
    return {
      preferred: isPreferred,
      own: provider === self && !isPreferred,
      behind: behind.has(provider),
      contender,
      data: {
        provider,
        ...received,
        score,
        ranks,
        ...(context.isKnown?.(provider) === true ? { known: true as const } : {}),
      },
    };
  });
  return keepLastGpuNode(ranked.sort(bestFirst), field).map(({ data }) => data);
}
