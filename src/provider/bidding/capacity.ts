import type { BidRequest, Refusal } from '../../domain/market/bid.ts';
import type { AvailableCapability, NodeTraits } from '../../domain/matching/capability.ts';
import type { CapabilityComparison } from '../../domain/matching/comparison.ts';
import type { Lease } from '../../domain/market/lock.ts';
import { compare } from '../../domain/matching/matching.ts';
import type { Resources } from '../../domain/units/resources.ts';
import { bookedResources } from '../../domain/matching/runtime-memory.ts';
import type { Allotment } from '../locks/allotment.ts';
import type { ResourceLedger } from '../locks/ledger.ts';
import type { ProviderLimits } from '../options.ts';
import { refusalOf } from './declining.ts';
import { keptShare, taken, tooManyUnbegun, tooManyUnsettled } from './refusals.ts';

export interface CapacityNeeds {
  readonly traits: NodeTraits;
  readonly ledger: Pick<ResourceLedger, 'pools' | 'retryAfter'>;
  readonly allotment: Pick<Allotment, 'freeFor' | 'leasesLeft' | 'isFull' | 'hold'>;
}

/** A request, and who has signed it. */
export interface Asking {
  readonly requester: string;
  readonly request: Pick<BidRequest, 'requirements' | 'jobId'>;
}

/** What this machine has for whom, and in which words it says that it has not. */
export class Capacity {
  readonly #limits: Pick<ProviderLimits, 'lockTtlMs' | 'strangers'>;
  readonly #needs: CapacityNeeds;

  constructor(limits: Pick<ProviderLimits, 'lockTtlMs' | 'strangers'>, needs: CapacityNeeds) {
    this.#limits = limits;
    this.#needs = needs;
  }

  free({ requester, request }: Asking): Resources {
    return this.#needs.allotment.freeFor(requester, request.requirements.resources);
  }

  /** How many leases it may take, whatever is free. */
  leasesLeft({ requester }: Asking): number {
    const { allotment } = this.#needs;
    return allotment.isFull(requester) ? 0 : allotment.leasesLeft(requester);
  }

  compare(asking: Asking): CapabilityComparison {
    return this.#compareWith(asking, this.free(asking));
  }

  /** Why a request does not fit that was compared just now. */
  misfit(asking: Asking, comparison: CapabilityComparison): Refusal {
    const { ledger } = this.#needs;
    const retryable = this.#compareWith(asking, ledger.pools().onboarded).hardOk;
    const later = retryable ? ledger.retryAfter() : {};
    const refusal = { ...refusalOf(comparison, retryable), ...later };
    return this.#isKept(asking) ? keptShare(refusal) : refusal;
  }

  /** What is in the way now of a request that fitted before. */
  takenFor(asking: Asking): Refusal {
    const comparison = this.compare(asking);
    const later = this.#needs.ledger.retryAfter();
    if (comparison.hardOk && this.leasesLeft(asking) < 1) {
      const soon = { retryAfterMs: this.#limits.strangers.unbegunRetryMs };
      return this.#needs.allotment.isFull(asking.requester) ? tooManyUnsettled(soon) : tooManyUnbegun(soon);
    }
    return this.#isKept(asking)
      ? keptShare({ ...refusalOf(comparison, true), ...later })
      : taken(comparison, later);
  }

  hold({ requester, request }: Asking, executionId: string): Lease | undefined {
    return this.#needs.allotment.hold({
      holder: requester,
      jobId: request.jobId,
      executionId,
      requirements: bookedResources(request.requirements, this.#needs.traits),
      ttlMs: this.#limits.lockTtlMs,
    });
  }

  /** It fits into what is free, and not into what is free for this requester. */
  #isKept(asking: Asking): boolean {
    const { free } = this.#needs.ledger.pools();
    return !this.compare(asking).hardOk && this.#compareWith(asking, free).hardOk;
  }

  #compareWith({ request }: Asking, free: Resources): CapabilityComparison {
    const { traits, ledger } = this.#needs;
    const available: AvailableCapability = { traits, onboarded: ledger.pools().onboarded, free };
    return compare(request.requirements, available);
  }
}
