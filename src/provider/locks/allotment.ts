import type { Lease } from '../../domain/market/lock.ts';
import type { ResourceRequirements, Resources } from '../../domain/units/resources.ts';
import { StrikeHistory } from '../../domain/trust/strike-history.ts';
import { GOOD_BEHAVIOUR } from '../../domain/trust/strikes.ts';
import type { Clock } from '../../lib/clock.ts';
import type { HoldRequest, ResourceLedger } from './ledger.ts';
import type { StrangerLimits } from './limits.ts';
import { type ShareState, type StrangerState, strangersFree } from './strangers-share.ts';

export interface AllotmentNeeds {
  readonly clock: Pick<Clock, 'livedMs'>;
  readonly ledger: Pick<ResourceLedger, 'pools' | 'leases' | 'hold'>;
  readonly isEstablished: (requester: string) => boolean;
  /** Thousandths. */
  readonly reputationOf: (requester: string) => number;
  /** Whether there are established requesters that ask. */
  readonly isKept: () => boolean;
  /** Whether the work of an execution has begun. */
  readonly hasBegun: (executionId: string) => boolean;
  /** Who has contracts here that are not settled, once for each. */
  readonly unsettled: () => readonly string[];
  /** The network that a requester comes from, where that is known. */
  readonly prefixOf: (requester: string) => string | undefined;
}

/**
 * Who may take how much of what is free. Established requesters may take all of it. What strangers hold together leaves a share to
 * established requesters, as long as there are any that ask; and what they hold without using it is bounded for each of them and for
 * each network that they come from, as identities cost nothing. Who, or whose network, is known for it gets less.
 */
export class Allotment {
  readonly #keptPercent: number;
  readonly #limits: StrangerLimits;
  readonly #needs: AllotmentNeeds;
  /** Of live leases of strangers: where their holder came from when it took them. */
  readonly #prefixes = new Map<string, string>();
  readonly #strikes: StrikeHistory;

  constructor(keptPercent: number, limits: StrangerLimits, needs: AllotmentNeeds) {
    this.#keptPercent = keptPercent;
    this.#limits = limits;
    this.#needs = needs;
    const { prefixHalfLifeMs: halfLifeMs, rememberedPrefixes: maxPeers } = limits;
    this.#strikes = new StrikeHistory({ halfLifeMs, maxPeers }, () => {});
  }

  /** What `requester` can have now. */
  freeFor(requester: string, { gpus }: Pick<ResourceRequirements, 'gpus'>): Resources {
    if (this.#needs.isEstablished(requester)) return this.#needs.ledger.pools().free;
    return strangersFree(this.#state(), gpus, this.#stranger(requester));
  }

  /** How many more leases `requester` may take before some of those that it has are used. */
  leasesLeft(requester: string): number {
    const { isEstablished, reputationOf, prefixOf } = this.#needs;
    if (isEstablished(requester)) return Number.POSITIVE_INFINITY;
    const prefix = prefixOf(requester);
    const { own, ofPrefix } = this.#unbegunOf(requester, prefix);
    const left = share(this.#limits.unbegunPerStranger, reputationOf(requester)) - own.length;
    const ofNetwork = share(this.#limits.unbegunPerPrefix, this.#scoreOf(prefix)) - ofPrefix.length;
    return Math.max(0, Math.min(left, ofNetwork));
  }

  /** Whether strangers leave so many contracts unsettled that none of them gets another. */
  isFull(requester: string): boolean {
    const { isEstablished, unsettled } = this.#needs;
    if (isEstablished(requester)) return false;
    const all = unsettled();
    return (
      all.length >= this.#limits.unsettled &&
      all.filter((holder) => !isEstablished(holder)).length >= this.#limits.unsettled
    );
  }

  /** As {@link ResourceLedger.hold}, out of what the holder may have. */
  hold(request: HoldRequest): Lease | undefined {
    const { ledger, prefixOf } = this.#needs;
    if (this.leasesLeft(request.holder) < 1 || this.isFull(request.holder)) return undefined;
    const lease = ledger.hold(request, this.freeFor(request.holder, request.requirements));
    const prefix = lease === undefined ? undefined : prefixOf(request.holder);
    if (lease !== undefined && prefix !== undefined) this.#prefixes.set(lease.lockId, prefix);
    return lease;
  }

  /** What a lease was taken for never began, by its holder's doing: told while the lease still stands. */
  neverBegun(lockId: string): void {
    const prefix = this.#prefixes.get(lockId);
    if (prefix !== undefined) {
      this.#strikes.strike(prefix, 'contract-never-begun', this.#needs.clock.livedMs());
    }
  }

  #state(): ShareState {
    const { ledger, isEstablished, isKept } = this.#needs;
    const { onboarded, free } = ledger.pools();
    const ofStrangers = ledger
      .leases()
      .flatMap((lease) => (isEstablished(lease.holder) ? [] : [lease.resources]));
    return { onboarded, free, ofStrangers, keptPercent: isKept() ? this.#keptPercent : 0 };
  }

  /** Standing counts where there is somebody to keep a share for, and nowhere else. */
  #stranger(requester: string): StrangerState {
    const { reputationOf, prefixOf, isKept } = this.#needs;
    if (!isKept()) return { standing: 1000, unbegun: [] };
    const prefix = prefixOf(requester);
    const { own, ofPrefix } = this.#unbegunOf(requester, prefix);
    const unbegun = [...new Set([...own, ...ofPrefix])].map(({ resources }) => resources);
    const worst = Math.min(reputationOf(requester), this.#scoreOf(prefix));
    return { standing: worst >= this.#limits.forgivenStanding ? 1000 : worst, unbegun };
  }

  #unbegunOf(
    requester: string,
    prefix: string | undefined,
  ): { readonly own: readonly Lease[]; readonly ofPrefix: readonly Lease[] } {
    const { ledger, hasBegun, isEstablished } = this.#needs;
    const leases = ledger.leases();
    this.#forgetOthers(leases);
    const unbegun = leases.filter(({ executionId }) => !hasBegun(executionId));
    const own = unbegun.filter(({ holder }) => holder === requester);
    if (prefix === undefined) return { own, ofPrefix: [] };
    const isFrom = ({ lockId, holder }: Lease): boolean =>
      this.#prefixes.get(lockId) === prefix && !isEstablished(holder);
    return { own, ofPrefix: unbegun.filter(isFrom) };
  }

  /** Thousandths; of a network that is not known nothing is held against anybody. */
  #scoreOf(prefix: string | undefined): number {
    if (prefix === undefined) return GOOD_BEHAVIOUR.score;
    return this.#strikes.behaviourOf(prefix, this.#needs.clock.livedMs()).score;
  }

  #forgetOthers(leases: readonly Lease[]): void {
    if (this.#prefixes.size <= leases.length) return;
    const live = new Set(leases.map(({ lockId }) => lockId));
    for (const lockId of this.#prefixes.keys()) if (!live.has(lockId)) this.#prefixes.delete(lockId);
  }
}

/** Of a bound, what is left to who is thought so much of; always one. */
function share(most: number, thousandths: number): number {
  return Math.max(1, Math.floor((most * thousandths) / 1000));
}
