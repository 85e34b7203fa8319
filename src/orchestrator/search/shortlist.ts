import type { Job } from '../../domain/job/job.ts';
import { rankBids } from '../../domain/ranking/index.ts';
import type { EligibleComputeProviderData } from '../../domain/market/search.ts';
import type { BehaviourHistory } from '../../domain/trust/behaviour-history.ts';
import type { OrchestratorOptions } from '../options.ts';
import type { Market, PeerTable } from '../ports.ts';
import type { ReceivedBid, SearchOutcome } from './open-search.ts';

/** What is known of providers beside their bids. */
export interface ProviderKnowledge {
  readonly market: Pick<Market, 'self' | 'roundTripMs'>;
  readonly behaviour: Pick<BehaviourHistory, 'behaviourOf'>;
  readonly peers?: Pick<PeerTable, 'acquaintance'>;
}

/** The bids of a search in the order they are to be tried, each with its ranks. */
export function rankOutcome(
  job: Job,
  outcome: Pick<SearchOutcome, 'bids'>,
  { market, behaviour, peers }: ProviderKnowledge,
  options: Pick<OrchestratorOptions, 'weights'>,
  now: number,
): readonly EligibleComputeProviderData[] {
  const { prefer, preferredProviders, timeouts, resources, budget } = job.spec;
  const acquaintance = peers?.acquaintance;
  return rankBids(outcome.bids, {
    self: market.self,
    prefer,
    preferred: preferredProviders,
    weights: options.weights,
    executionTimeoutMs: timeouts.executionMs,
    gpusWanted: resources.gpus.reduce((sum, { count }) => sum + count, 0),
    behaviourOf: (provider) => behaviour.behaviourOf(provider),
    now,
    ...(acquaintance === undefined
      ? {}
      : {
          isKnown: (provider) => acquaintance.hasKept(provider),
          isWary: acquaintance.isWary(),
          isOnTrial: (provider) => acquaintance.isOnTrial(provider),
        }),
    roundTripMs: (provider) => market.roundTripMs(provider),
    ...(budget === undefined ? {} : { currency: budget.currency }),
  });
}

/** The bidder that would be tried last. */
export function worstBidder(
  job: Job,
  bids: readonly ReceivedBid[],
  knowledge: ProviderKnowledge,
  options: Pick<OrchestratorOptions, 'weights'>,
  now: number,
): string | undefined {
  return rankOutcome(job, { bids }, knowledge, options, now).at(-1)?.provider;
}
