import { CodedError } from '../../lib/coded-error.ts';
import type { Resources } from '../units/resources.ts';

export type LeaseState = 'held' | 'committed' | 'released' | 'expired';

/**
 * Capacity that is set aside on a provider. `version` is a fencing token: whoever names an older one is refused.
 * held -> held (renewed); held -> committed -> released; held -> released | expired; committed -> expired when the work overran its deadline.
 */
export interface Lease {
  readonly lockId: string;
  /** Peer id of the requester. */
  readonly holder: string;
  readonly jobId: string;
  readonly executionId: string;
  readonly resources: Resources;
  readonly version: number;
  /** Lived time of taking; with `ttlMs` it says what remains after a restart. */
  readonly acquiredAt: number;
  readonly ttlMs: number;
  readonly state: LeaseState;
}

const ARROWS: Readonly<Record<LeaseState, readonly LeaseState[]>> = {
  held: ['held', 'committed', 'released', 'expired'],
  committed: ['released', 'expired'],
  released: [],
  expired: [],
};

/** nothing -> held */
export function holdLease(lease: Omit<Lease, 'state'>): Lease {
  return { ...lease, state: 'held' };
}

/** held -> held: the same lease, with its time counted from now. */
export function renewLease(lease: Lease, now: number, ttlMs: number): Lease {
  return { ...move(lease, 'held'), acquiredAt: now, ttlMs };
}

/** held -> committed: the lease now ends with the work and not with the negotiation. */
export function commitLease(lease: Lease, executionId: string, now: number, ttlMs: number): Lease {
  return { ...move(lease, 'committed'), executionId, acquiredAt: now, ttlMs };
}

/** held or committed -> released */
export function releaseLease(lease: Lease): Lease {
  return move(lease, 'released');
}

/** held or committed -> expired */
export function expireLease(lease: Lease): Lease {
  return move(lease, 'expired');
}

/** True while the lease takes capacity. */
export function isLeaseLive(lease: Lease): boolean {
  return ARROWS[lease.state].length > 0;
}

function move(lease: Lease, state: LeaseState): Lease {
  if (!ARROWS[lease.state].includes(state)) {
    throw new CodedError('LEASE_TRANSITION', `A lease that is ${lease.state} cannot become ${state}.`, {
      data: { lockId: lease.lockId, from: lease.state, to: state },
    });
  }
  return { ...lease, state };
}
