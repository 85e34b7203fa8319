import type { SeenFits } from '../../domain/ranking/answering.ts';
import type { BidRequest } from '../../domain/market/bid.ts';
import { type Explanation, explain } from '../../domain/explain/explanation.ts';
import { winningReason } from '../../domain/explain/winner.ts';
import type { Notary } from '../../domain/market/evidence.ts';
import type { JobDescription } from '../../domain/job/job-description.ts';
import { EMPTY_INDEX, type Search } from '../../domain/market/search.ts';
import { rawContentIdOf } from '../../lib/canonical.ts';
import type { Clock } from '../../lib/clock.ts';
import { processJob } from '../intake/process-job.ts';
import type { OrchestratorOptions } from '../options.ts';
import type { ContentFetcher, Market, PeerTable } from '../ports.ts';
import {
  OpenSearch,
  type OpenSearchNeeds,
  type OpenSearchOptions,
  type SearchOutcome,
} from './open-search.ts';
import {
  buildBidRequest,
  indirectFor,
  knownFitsOf,
  type MarketSize,
  strangersFor,
} from './request-builder.ts';
import { type ProviderKnowledge, rankOutcome, worstBidder } from './shortlist.ts';
import { type SearchTargets, mostAsked, targetsOf, waitOf } from './targets.ts';

export interface DryRunNeeds {
  readonly clock: Clock;
  readonly notary: Notary;
  readonly market: Market;
  readonly content: Pick<ContentFetcher, 'sizeOf'>;
  readonly peers: PeerTable;
  readonly behaviour: ProviderKnowledge['behaviour'];
  readonly newId: () => string;
  /** Takes a search slot for the time of the run; rejects with `TOO_MANY_JOBS` when there is none. The signal ends the run. */
  readonly withSlot: <T>(requestId: string, work: (signal: AbortSignal) => Promise<T>) => Promise<T>;
}

/** Search and shortlist of a job that is never posted: nothing is stored, no lock is asked for, no contract closed. */
export async function dryRun(
  description: JobDescription,
  options: OrchestratorOptions,
  needs: DryRunNeeds,
): Promise<Explanation> {
  const { clock, market, notary, peers, newId, content } = needs;
  const job = await processJob(
    description,
    { id: newId(), submitter: market.self, now: clock.livedMs() },
    options,
    {
      sizeOf: (cid) => content.sizeOf(cid),
      put: (bytes) => Promise.resolve({ cid: rawContentIdOf(bytes), size: bytes.length }),
    },
  );
  const search: Search = {
    requestId: newId(),
    jobId: job.id,
    round: 1,
    state: 'open',
    slots: job.spec.count,
    exclude: job.spec.excludedProviders,
    openedAt: clock.livedMs(),
    fruitlessRounds: 1,
    fruitlessSince: clock.livedMs(),
    seenAtLeast: 0,
    index: EMPTY_INDEX,
  };
  const targets = targetsOf(job, search.exclude, market, peers, options.wantedBids);
  const view = { ...marketView(market, peers), targets };
  const request: BidRequest = { ...buildBidRequest(job, search, view, options), trial: true };
  const knownFits = knownFitsOf(job, search, view, options);
  const others = { ...indirectFor(job, search, view), ...strangersFor(request, job, search, view) };
  const limits = { ...options.limits, knownFits, ...others };
  const outcome = await needs.withSlot(search.requestId, (signal) =>
    collect(request, targets, limits, signal, {
      clock,
      notary,
      market,
      acquaintance: peers.acquaintance,
      worstOf: (bids) => worstBidder(job, bids, needs, options, clock.livedMs()),
    }),
  );
  const entries = rankOutcome(job, outcome, needs, options, clock.livedMs());
  const closed: Search = {
    ...search,
    state: 'closed',
    closeReason: outcome.reason,
    seenAtLeast: outcome.seenAtLeast,
    index: { entries, declines: outcome.declines, refused: outcome.refused },
  };
  const asker = {
    self: market.self,
    preferred: job.spec.preferredProviders,
    ...mostAsked(job.spec, options.wantedBids),
    ...waitOf(job),
  };
  const explanation = explain([closed], [], peers.explain(job.spec), asker);
  const [first, second] = entries;
  if (first === undefined) return explanation;
  const { nearest: _nearest, ...rest } = explanation;
  return {
    ...rest,
    suggestions: [],
    winner: { provider: first.provider, score: first.score, why: winningReason(first, second, 0) },
  };
}

/** What a request says of the market it goes to. */
export function marketView(market: Market, peers: PeerTable): Omit<MarketSize, 'targets'> {
  const audience = market.audience();
  let seen: SeenFits | undefined;
  return {
    audience,
    networkSize: Math.max(audience.length, peers.sizeEstimate()),
    peerRecord: market.peerRecord(),
    // The table is compared once for one request.
    seenFits: (spec) => (seen ??= peers.fits(spec)),
    indirect: (spec) => peers.indirect(spec),
    ...(peers.acquaintance === undefined ? {} : { acquaintance: peers.acquaintance }),
  };
}

async function collect(
  request: BidRequest,
  targets: SearchTargets,
  limits: OrchestratorOptions['limits'] &
    Pick<OpenSearchOptions, 'knownFits' | 'indirect' | 'strangers' | 'strangersDue'>,
  signal: AbortSignal,
  needs: Pick<DryRunNeeds, 'clock' | 'notary' | 'market'> & Pick<OpenSearchNeeds, 'worstOf' | 'acquaintance'>,
): Promise<SearchOutcome> {
  const { promise, resolve, reject } = Promise.withResolvers<SearchOutcome>();
  const search = new OpenSearch(
    request,
    { ...limits, maxBids: limits.maxBidsPerSearch },
    {
      clock: needs.clock,
      self: needs.market.self,
      worstOf: needs.worstOf,
      acquaintance: needs.acquaintance,
      onClosed: resolve,
      onNegotiationEnded: () => {},
    },
  );
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort);
  try {
    search.publish(needs.market, needs.notary.sign('bid-request', request), targets);
    return await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
    search.release('cancelled');
  }
}
