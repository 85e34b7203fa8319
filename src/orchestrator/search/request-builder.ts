import {
  type AnswerPlan,
  expectedBids,
  isPartial,
  planAnswers,
  type SeenFits,
  strangersDue,
} from '../../domain/ranking/answering.ts';
import type { BidRequest } from '../../domain/market/bid.ts';
import { NODE_FEATURES } from '../../domain/market/features.ts';
import type { Job } from '../../domain/job/job.ts';
import { weightsFor } from '../../domain/ranking/index.ts';
import type { Search } from '../../domain/market/search.ts';
import { contentRefsOf } from '../../domain/program/task.ts';
import { reachedTag } from '../../domain/market/reached.ts';
import type { StrangerStanding } from '../../domain/trust/stranger-turnout.ts';
import type { OrchestratorOptions } from '../options.ts';
import type { Acquaintance, IndirectProviders } from '../ports.ts';

/** Noes that are worth having on a network where not everybody answers. */
const EXPECTED_DECLINES = 16;

/** More would make a request too large for gossip, and then only those nearby would hear it. */
const MOST_EXCLUDED_BY_GOSSIP = 32;

/** What strangers are told of a job: requirements and a digest, never its code, data or environment. */
export function buildBidRequest(
  job: Job,
  search: Search,
  market: MarketSize,
  options: Pick<OrchestratorOptions, 'wantedBids' | 'weights' | 'limits'>,
): BidRequest {
  const { spec } = job;
  const wantedBids = Math.max(options.wantedBids, search.slots);
  const direct = market.targets !== undefined;
  const { audience } = market;
  const plan: Asked = direct ? { answerShare: 1 } : askedOf(job, search, wantedBids, market, options);
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
    inputBytes: contentRefsOf(spec.engine, spec.inputs).reduce((sum, { size }) => sum + size, 0),
    slots: search.slots,
    wantedBids,
    windowMs: isPartial(plan)
      ? Math.min(spec.timeouts.searchMs, options.limits.partialWindowMs)
      : spec.timeouts.searchMs,
    ...plan,
    answerAlways: direct || market.networkSize <= options.limits.answerAlwaysUpTo,
    declineShare: Math.min(1, EXPECTED_DECLINES / Math.max(1, audience.length)),
    exclude:
      direct || audience.length <= options.limits.answerAlwaysUpTo
        ? search.exclude
        : search.exclude.slice(0, Math.max(spec.excludedProviders.length, MOST_EXCLUDED_BY_GOSSIP)),
    ...(direct || audience.length > options.limits.answerAlwaysUpTo
      ? {}
      : { reached: audience.map(reachedTag) }),
    features: NODE_FEATURES,
    requesterRecord: market.peerRecord,
  };
}

/** Who is asked to answer, and by name whatever the share. */
type Asked = AnswerPlan & Pick<BidRequest, 'invited'>;

/** What a request needs to know of the market it goes to. */
export interface MarketSize {
  /** About how many providers there are in all. */
  readonly networkSize: number;
  /** Providers that hear this node without anybody between, its own included. */
  readonly audience: readonly string[];
  readonly peerRecord: Uint8Array;
  /** What the known providers could do with the job. */
  readonly seenFits: (spec: Job['spec']) => SeenFits;
  readonly indirect: (spec: Job['spec']) => IndirectProviders;
  readonly acquaintance?: Pick<Acquaintance, 'acquainted' | 'strangers'>;
  /** Asked directly: those few all answer. */
  readonly targets?: readonly unknown[] | undefined;
}

/** The peer table is whole when it has so much of the network: how large that is is an estimate. */
const WHOLE_TABLE = 0.95;

/**
 * How many providers of a large network can take the job, if some can and the peer table knows them all. On a small
 * one everybody answers, so that need not be known.
 */
export function knownFitsOf(
  job: Job,
  search: Search,
  { networkSize, seenFits, targets }: MarketSize,
  { limits }: Pick<OrchestratorOptions, 'limits'>,
): number | undefined {
  if (targets !== undefined || networkSize <= limits.answerAlwaysUpTo) return undefined;
  const { compared, fits } = seenFits(searched(job, search));
  return fits.length > 0 && compared + search.exclude.length >= networkSize * WHOLE_TABLE
    ? fits.length
    : undefined;
}

/** Who hears the request of a job only through others; those who are asked directly are all there is. */
export function indirectFor(job: Job, search: Search, market: MarketSize): { indirect?: IndirectProviders } {
  return market.targets === undefined ? { indirect: market.indirect(searched(job, search)) } : {};
}

function searched({ spec }: Job, { exclude }: Search): Job['spec'] {
  return { ...spec, excludedProviders: exclude };
}

/**
 * The share is planned for those that answer, not for those that adverts tell of. Where not all are asked or not all
 * answer, the best known are asked by name: nobody pushes them out by making the network look large, or others look better.
 */
function askedOf(
  job: Job,
  search: Search,
  wantedBids: number,
  market: MarketSize,
  { weights, limits }: Pick<OrchestratorOptions, 'weights' | 'limits'>,
): Asked {
  const networkSize = answeringSize(market);
  const everybodyAnswers = market.networkSize <= limits.answerAlwaysUpTo;
  if (networkSize <= wantedBids * 2 && everybodyAnswers) return { answerShare: 1 };
  const { seenFits, acquaintance } = market;
  const spec = searched(job, search);
  const inAll = expectedBids(wantedBids);
  const areSilent = acquaintance?.strangers().standing === 'silent';
  const atFirst = areSilent ? inAll : Math.floor(inAll / 2);
  const most = search.fruitlessRounds > 1 ? limits.answerAlwaysUpTo : atFirst;
  const invited = acquaintance?.acquainted(spec, most).map(reachedTag) ?? [];
  const { price, speed, soft, load, fit } = weightsFor(job.spec.prefer, weights);
  const plan = planAnswers({
    networkSize,
    wantedBids,
    attempt: search.fruitlessRounds,
    seen: seenFits(spec),
    // Who looks for the cheapest must not lose it to a better fit.
    bestFits: price + speed <= soft + load + fit,
    invited: invited.length,
  });
  // Where not everybody says no as well, those asked by name are the only ones whose silence means "not yet".
  const areNamed = invited.length > 0 && (isPartial(plan) || !everybodyAnswers);
  return { ...plan, ...(areNamed ? { invited } : {}) };
}

/** What a search that goes to everybody may expect of strangers. */
export function strangersFor(
  request: BidRequest,
  job: Job,
  search: Search,
  { targets, acquaintance, seenFits }: MarketSize,
): { readonly strangers?: StrangerStanding; readonly strangersDue?: number } {
  if (targets !== undefined || acquaintance === undefined) return {};
  const { claimed, standing } = acquaintance.strangers();
  return {
    strangers: standing,
    strangersDue: strangersDue(request, claimed, seenFits(searched(job, search))),
  };
}

/** About how many providers there are that answer. */
function answeringSize({ networkSize, audience, acquaintance }: MarketSize): number {
  if (acquaintance === undefined) return networkSize;
  const { claimed, known, rate } = acquaintance.strangers();
  return Math.max(1, audience.length, Math.round(known + claimed * rate));
}
