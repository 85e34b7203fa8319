import type { Bid, BidRequest } from '../../domain/market/bid.ts';
import { askedFor } from '../../domain/matching/asking-price.ts';
import { fitAfter } from '../../domain/matching/bid-fit.ts';
import type { NodeTraits } from '../../domain/matching/capability.ts';
import type { CapabilityComparison } from '../../domain/matching/comparison.ts';
import type { Lease } from '../../domain/market/lock.ts';
import type { Resources } from '../../domain/units/resources.ts';
import { bookedResources } from '../../domain/matching/runtime-memory.ts';
import type { StartTimes } from '../executions/start-times.ts';
import type { ResourceLedger } from '../locks/ledger.ts';
import type { ProviderOptions } from '../options.ts';
import type { RequesterLink } from '../ports.ts';
import { loadAfter, placesIn } from './places.ts';

export interface DraftNeeds {
  readonly newId: () => string;
  readonly traits: Pick<NodeTraits, 'runtimeMemory'>;
  readonly ledger: Pick<ResourceLedger, 'pools'>;
  readonly link: Pick<RequesterLink, 'peerRecord'>;
  readonly starts: Pick<StartTimes, 'estimateMs'>;
}

/** What this node offers for a request, as things stand. It has no places when there is no room any more. */
export function draftBid(
  request: BidRequest,
  comparison: CapabilityComparison,
  places: { readonly free: Resources; readonly most: number },
  { limits, price }: Pick<ProviderOptions, 'limits' | 'price'>,
  { newId, ledger, link, starts, traits }: DraftNeeds,
): Bid {
  const { engine, executionTimeoutMs } = request.requirements;
  const resources = bookedResources(request.requirements, traits);
  const fit = fitAfter(resources, ledger.pools());
  return {
    bidId: newId(),
    requestId: request.requestId,
    jobId: request.jobId,
    price: askedFor(price, request.requirements.resources, ledger.pools()),
    time: { durationMs: executionTimeoutMs, startWithinMs: limits.longestStartWithinMs },
    startsInMs: starts.estimateMs(engine.type),
    validForMs: limits.bidValidMs,
    slots: placesIn(resources, places.free, places.most),
    comparison,
    load: loadAfter(resources, ledger.pools()),
    ...(fit === undefined ? {} : { fit }),
    providerRecord: link.peerRecord(),
  };
}

/** A lease as its holder sees it. */
export function grantOf(lease: Lease): NonNullable<Bid['lock']> {
  return { lockId: lease.lockId, version: lease.version, ttlMs: lease.ttlMs };
}
