import type { Lease } from '../../domain/market/lock.ts';
import type { Calendar } from '../../lib/calendar.ts';
import type { NodeResources, NodeStatus, PeerLine } from '../node-view.ts';

/** The members that the documentation names, in its order. */
export function viewStatus(status: NodeStatus): NodeStatus {
  const { foreignPeers, otherNetworks, draining, heldBack, storeDamage } = status;
  return {
    peerId: status.peerId,
    did: status.did,
    network: status.network,
    version: status.version,
    multiaddrs: status.multiaddrs,
    peers: status.peers,
    ...(foreignPeers === undefined ? {} : { foreignPeers }),
    ...(otherNetworks === undefined ? {} : { otherNetworks }),
    openNetwork: status.openNetwork,
    ...(draining === undefined ? {} : { draining }),
    ...(heldBack === undefined ? {} : { heldBack }),
    ...(storeDamage === undefined ? {} : { storeDamage }),
  };
}

export interface ResourcesBody extends Omit<NodeResources, 'leases'> {
  readonly leases: readonly (Omit<Lease, 'acquiredAt'> & { readonly acquiredAt: string })[];
}

export function viewResources(resources: NodeResources, calendar: Calendar): ResourcesBody {
  const { leases, offersNothing, price, draining, machine, onboarded, locked, allocated, free } = resources;
  return {
    machine,
    onboarded,
    locked,
    allocated,
    free,
    leases: leases.map((lease) => ({ ...lease, acquiredAt: calendar.isoTime(lease.acquiredAt) })),
    ...(offersNothing === undefined ? {} : { offersNothing }),
    ...(price === undefined ? {} : { price }),
    ...(draining === undefined ? {} : { draining }),
  };
}

interface PeerBody extends Omit<PeerLine, 'lastSeenAt' | 'expiresAt'> {
  readonly lastSeenAt?: string;
  readonly expiresAt?: string;
}

export function viewPeer(peer: PeerLine, calendar: Calendar): PeerBody {
  const { lastSeenAt, expiresAt, ...rest } = peer;
  return {
    ...rest,
    ...(lastSeenAt === undefined ? {} : { lastSeenAt: calendar.isoTime(lastSeenAt) }),
    ...(expiresAt === undefined ? {} : { expiresAt: calendar.isoTime(expiresAt) }),
  };
}
