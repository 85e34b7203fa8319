import { z } from '@hono/zod-openapi';
import type { Lease } from '../../domain/lock.ts';
import type { NodeResources, PeerLine } from '../node-view.ts';
import { isoTime } from '../../lib/clock.ts';

export const statusView = z
  .object({
    peerId: z.string(),
    did: z.string(),
    network: z.string(),
    version: z.string(),
    multiaddrs: z.array(z.string()),
    peers: z.number().int(),
    openNetwork: z.boolean(),
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
  })
  .openapi('Resources');

export const peerView = z
  .object({
    peerId: z.string(),
    connected: z.boolean(),
    multiaddrs: z.array(z.string()),
    lastSeenAt: z.iso.datetime().optional(),
    version: z.string().optional(),
    engines: z.record(z.string(), z.string()).optional(),
    labels: z.record(z.string(), z.string()).optional(),
  })
  .openapi('Peer');

export const readinessView = z.object({ ok: z.boolean(), reasons: z.array(z.string()) }).openapi('Readiness');

export interface ResourcesBody extends Omit<NodeResources, 'leases'> {
  readonly leases: readonly (Omit<Lease, 'acquiredAt'> & { readonly acquiredAt: string })[];
}

export function viewResources(resources: NodeResources): ResourcesBody {
  const { machine, onboarded, locked, allocated, free, leases } = resources;
  return {
    machine,
    onboarded,
    locked,
    allocated,
    free,
    leases: leases.map((lease) => ({ ...lease, acquiredAt: isoTime(lease.acquiredAt) })),
  };
}

export function viewPeer(peer: PeerLine): Omit<PeerLine, 'lastSeenAt'> & { readonly lastSeenAt?: string } {
  const { lastSeenAt, ...rest } = peer;
  return { ...rest, ...(lastSeenAt === undefined ? {} : { lastSeenAt: isoTime(lastSeenAt) }) };
}
