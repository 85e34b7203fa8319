import type { Refusal } from '../../domain/market/bid.ts';
import type { Pools } from '../../domain/matching/capability.ts';
import {
  type Lease,
  commitLease,
  expireLease,
  holdLease,
  isLeaseLive,
  releaseLease,
  renewLease,
} from '../../domain/market/lock.ts';
import { grant } from '../../domain/matching/matching.ts';
import {
  NO_RESOURCES,
  type ResourceRequirements,
  type Resources,
  addResources,
  coversResources,
  subtractResources,
} from '../../domain/units/resources.ts';
import { assert } from '../../lib/assert.ts';
import type { Clock, Timer } from '../../lib/clock.ts';

export interface LedgerNeeds {
  readonly clock: Clock;
  readonly newLockId: () => string;
  /** Called when a lease ran out; its capacity is free already. */
  readonly onExpired: (lease: Lease) => void;
  /** Called when what was set aside is free again. */
  readonly onFreed?: () => void;
}

export interface HoldRequest {
  readonly holder: string;
  readonly jobId: string;
  readonly executionId: string;
  readonly requirements: ResourceRequirements;
  readonly ttlMs: number;
}

interface Entry {
  readonly lease: Lease;
  readonly timer: Timer;
  /** On the clock that does not jump. */
  readonly endsAtMs: number;
}

/**
 * The one owner of this machine's capacity. Every change is one synchronous step, so two requesters that race
 * for the last device cannot both get it. Invariant: locked + allocated is inside onboarded, device by device.
 */
export class ResourceLedger {
  readonly #machine: Resources;
  readonly #onboarded: Resources;
  readonly #needs: LedgerNeeds;
  readonly #leases = new Map<string, Entry>();
  #version: number;
  #locked: Resources = NO_RESOURCES;
  #allocated: Resources = NO_RESOURCES;

  constructor(
    pools: { readonly machine: Resources; readonly onboarded: Resources; readonly highestVersion: number },
    needs: LedgerNeeds,
  ) {
    this.#machine = pools.machine;
    this.#onboarded = pools.onboarded;
    this.#version = pools.highestVersion;
    this.#needs = needs;
  }

  pools(): Pools {
    return {
      machine: this.#machine,
      onboarded: this.#onboarded,
      locked: this.#locked,
      allocated: this.#allocated,
      free: this.free(),
    };
  }

  free(): Resources {
    return subtractResources(subtractResources(this.#onboarded, this.#locked), this.#allocated);
  }

  leases(): readonly Lease[] {
    return [...this.#leases.values()].map(({ lease }) => lease);
  }

  /** Sets capacity aside, out of `from` where that is less than what is free; undefined when there is no room. */
  hold(request: HoldRequest, from = this.free()): Lease | undefined {
    const resources = grant(request.requirements, from);
    if (resources === undefined) return undefined;
    this.#version += 1;
    const lease = holdLease({
      lockId: this.#needs.newLockId(),
      holder: request.holder,
      jobId: request.jobId,
      executionId: request.executionId,
      resources,
      version: this.#version,
      acquiredAt: this.#needs.clock.livedMs(),
      ttlMs: request.ttlMs,
    });
    this.#keep(lease, request.ttlMs);
    return lease;
  }

  /** The live lease, if it is this holder's and has this very version. */
  find(lockId: string, holder: string, version: number): Lease | undefined {
    const lease = this.#leases.get(lockId)?.lease;
    return lease?.holder === holder && lease.version === version ? lease : undefined;
  }

  /** The live lease, whoever holds it. */
  get(lockId: string): Lease | undefined {
    return this.#leases.get(lockId)?.lease;
  }

  /** What is left of a live lease; 0 for any other. */
  remainingMs(lockId: string): number {
    const endsAtMs = this.#leases.get(lockId)?.endsAtMs ?? 0;
    return Math.max(0, endsAtMs - this.#needs.clock.monotonicMs());
  }

  /** When capacity may be back at the earliest: the first lease that ends, by itself if not before. */
  retryAfter(): Pick<Refusal, 'retryAfterMs'> {
    const ends = [...this.#leases.values()].map(({ endsAtMs }) => endsAtMs);
    if (ends.length === 0) return {};
    return { retryAfterMs: Math.max(1, Math.ceil(Math.min(...ends) - this.#needs.clock.monotonicMs())) };
  }

  /** held -> held, for `ttlMs` from now on. The version stays: whoever has the lock has it still. */
  renew(lockId: string, ttlMs: number): Lease {
    const held = this.get(lockId);
    assert(held !== undefined, 'only a live lease is renewed');
    const lease = renewLease(held, this.#needs.clock.livedMs(), ttlMs);
    this.#drop(lockId);
    this.#keep(lease, ttlMs);
    return lease;
  }

  /** held -> committed. The caller writes down what this returns, and releases it when that fails. */
  commit(lockId: string, executionId: string, ttlMs: number): Lease {
    const held = this.get(lockId);
    assert(held !== undefined, 'only a live lease is committed');
    const lease = commitLease(held, executionId, this.#needs.clock.livedMs(), ttlMs);
    this.#drop(lockId);
    this.#keep(lease, ttlMs);
    return lease;
  }

  /**
   * Takes over a committed lease from disk, at start. False when what is onboarded has shrunk so far that it does
   * not fit any more. What is left of it is clamped: records of a time when the clock could jump cannot make it endless.
   */
  adopt(lease: Lease): boolean {
    assert(lease.state === 'committed', 'only committed leases are adopted');
    this.#version = Math.max(this.#version, lease.version);
    if (this.#leases.has(lease.lockId) || !coversResources(this.free(), lease.resources)) return false;
    const leftMs = lease.acquiredAt + lease.ttlMs - this.#needs.clock.livedMs();
    this.#keep(lease, Math.min(lease.ttlMs, Math.max(0, leftMs)));
    return true;
  }

  /** Gives the capacity back; a lease that is gone already changes nothing. */
  release(lockId: string): Lease | undefined {
    const lease = this.#drop(lockId);
    if (lease === undefined) return undefined;
    this.#needs.onFreed?.();
    return releaseLease(lease);
  }

  stop(): void {
    for (const { timer } of this.#leases.values()) timer.cancel();
  }

  #keep(lease: Lease, ttlMs: number): void {
    const timer = this.#needs.clock.after(ttlMs, () => {
      const expired = this.#drop(lease.lockId);
      if (expired === undefined) return;
      this.#needs.onExpired(expireLease(expired));
      this.#needs.onFreed?.();
    });
    this.#leases.set(lease.lockId, { lease, timer, endsAtMs: this.#needs.clock.monotonicMs() + ttlMs });
    this.#recount();
  }

  #drop(lockId: string): Lease | undefined {
    const entry = this.#leases.get(lockId);
    if (entry === undefined) return undefined;
    entry.timer.cancel();
    this.#leases.delete(lockId);
    this.#recount();
    return entry.lease;
  }

  #recount(): void {
    let locked = NO_RESOURCES;
    let allocated = NO_RESOURCES;
    for (const { lease } of this.#leases.values()) {
      assert(isLeaseLive(lease), 'the ledger holds live leases only');
      if (lease.state === 'held') locked = addResources(locked, lease.resources);
      else allocated = addResources(allocated, lease.resources);
    }
    assert(
      coversResources(this.#onboarded, addResources(locked, allocated)),
      'locked and allocated capacity must stay inside what is onboarded',
    );
    this.#locked = locked;
    this.#allocated = allocated;
  }
}
