import { z } from '@hono/zod-openapi';
import type { Lease } from '../../domain/market/lock.ts';
import type { NodeResources, NodeStatus, PeerLine } from '../node-view.ts';
import type { Calendar } from '../../lib/calendar.ts';
import { priceView } from './job-view.ts';

const FOREIGN = 'Connected peers that are not of this network: they will never answer.';
const DAMAGE = 'What of the store could not be read since the start, and was passed over.';
const HELD =
  'Peers that cost this node more than they may, within the last minute: they are read later, or not at all.';
const DRAINING = 'Takes no new work; only on a node that offers something.';

export const statusView = z
  .object({
    peerId: z.string(),
    did: z.string(),
    network: z.string(),
    version: z.string(),
    multiaddrs: z.array(z.string()),
    peers: z.number().int(),
    foreignPeers: z.number().int().optional().openapi({ description: FOREIGN }),
    otherNetworks: z.array(z.string()).optional(),
    openNetwork: z.boolean(),
    draining: z.boolean().optional().openapi({ description: DRAINING }),
    heldBack: z
      .array(
        z.object({
          peerId: z.string(),
          prefix: z.string().optional(),
          code: z.string(),
          times: z.number().int(),
        }),
      )
      .optional()
      .openapi({ description: HELD }),
    storeDamage: z
      .object({
        count: z.number().int(),
        first: z.array(
          z.object({ where: z.string(), message: z.string(), lost: z.array(z.string()).optional() }),
        ),
      })
      .optional()
      .openapi({ description: DAMAGE }),
  })
  .openapi('Status');

const gpuView = z.object({
  index: z.number().int(),
  vendor: z.string(),
  model: z.string(),
  vramBytes: z.number(),
  driver: z.string().optional(),
  computeCapability: z.string().optional(),
  uuid: z.string().optional(),
});

const amountView = z
  .object({
    cpuMillis: z.number(),
    memoryBytes: z.number(),
    diskBytes: z.number(),
    gpus: z.array(gpuView),
  })
  .openapi('ResourceAmount');

const leaseView = z
  .object({
    lockId: z.string(),
    holder: z.string(),
    jobId: z.string(),
    executionId: z.string(),
    resources: amountView,
    version: z.number().int(),
    acquiredAt: z.iso.datetime(),
    ttlMs: z.number(),
    state: z.enum(['held', 'committed', 'released', 'expired']),
  })
  .openapi('Lease');

export const resourcesView = z
  .object({
    machine: amountView,
    onboarded: amountView,
    locked: amountView,
    allocated: amountView,
    free: amountView,
    leases: z.array(leaseView),
    offersNothing: z.string().optional().openapi({
      description: 'Only on a node that offers nothing: why, as a sentence. All amounts are 0 then.',
    }),
    price: priceView.optional().openapi({ description: 'What this node asks for each partition.' }),
    draining: z.boolean().optional().openapi({ description: DRAINING }),
  })
  .openapi('Resources');

const locationView = z.object({
  continent: z.string().optional(),
  country: z.string().optional(),
  city: z.string().optional(),
  asn: z.string().optional(),
});

/** Devices that are alike stand together, with their count. */
const advertAmountsView = amountView
  .extend({ gpus: z.array(gpuView.omit({ index: true, uuid: true }).extend({ count: z.number().int() })) })
  .openapi('AdvertAmounts');

export const peerView = z
  .object({
    peerId: z.string(),
    connected: z.boolean(),
    multiaddrs: z.array(z.string()),
    foreign: z.boolean().optional().openapi({ description: 'Not of this network: it will never answer.' }),
    network: z.string().optional().openapi({ description: 'Of a foreign peer.' }),
    version: z.string().optional(),
    engines: z.record(z.string(), z.string()).optional(),
    runtimes: z.record(z.string(), z.string()).optional(),
    labels: z.record(z.string(), z.string()).optional(),
    location: locationView.optional(),
    free: advertAmountsView.optional(),
    price: priceView.optional(),
    draining: z.boolean().optional(),
    lastSeenAt: z.iso.datetime().optional(),
    expiresAt: z.iso.datetime().optional(),
  })
  .openapi('Peer');

export const readinessView = z.object({ ok: z.boolean(), reasons: z.array(z.string()) }).openapi('Readiness');

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
