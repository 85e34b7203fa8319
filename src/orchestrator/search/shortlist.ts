import type { Job } from '../../domain/job.ts';
import { rankBids } from '../../domain/ranking/index.ts';
import type { EligibleComputeProviderData } from '../../domain/search.ts';
import type { OrchestratorOptions } from '../options.ts';
import type { Market } from '../ports.ts';
import type { SearchOutcome } from './open-search.ts';

/** The bids of a search in the order they are to be tried, each with its ranks. */
export function rankOutcome(
  job: Job,
  outcome: SearchOutcome,
  market: Pick<Market, 'self'>,
  options: Pick<OrchestratorOptions, 'weights'>,
): readonly EligibleComputeProviderData[] {
  return rankBids(outcome.bids, {
    self: market.self,
    prefer: job.spec.prefer,
    weights: options.weights,
    executionTimeoutMs: job.spec.timeouts.executionMs,
    ...(job.spec.budget === undefined ? {} : { currency: job.spec.budget.currency }),
  });
}
