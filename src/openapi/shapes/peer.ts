import { z } from 'zod';
import { named, pageOf } from '../named.ts';
import { askingShape } from './price.ts';
import { freeAmountShape } from './resources.ts';

const FOREIGN = 'Not of this network, or of another release of it: it will never answer.';
const RELEASE = 'Of a foreign peer of this network: the older of the two nodes has to be updated.';

const locationShape = z.object({
  continent: z.string().optional(),
  country: z.string().optional(),
  city: z.string().optional(),
  asn: z.string().optional(),
});

export const peerShape = named(
  'Peer',
  z.object({
    peerId: z.string(),
    connected: z.boolean(),
    multiaddrs: z.array(z.string()),
    foreign: z.boolean().describe(FOREIGN).optional(),
    network: z.string().describe('Of a foreign peer.').optional(),
    release: z.enum(['older', 'newer']).describe(RELEASE).optional(),
    version: z.string().optional(),
    engines: z.record(z.string(), z.string()).optional(),
    runtimes: z.record(z.string(), z.string()).optional(),
    labels: z.record(z.string(), z.string()).optional(),
    location: locationShape.optional(),
    free: freeAmountShape.optional(),
    price: askingShape.optional(),
    draining: z.boolean().optional(),
    features: z.array(z.string()).describe('What its node can do.').optional(),
    lastSeenAt: z.iso.datetime().optional(),
    expiresAt: z.iso.datetime().optional(),
  }),
);
export type Peer = z.output<typeof peerShape>;

export const peerPageShape = pageOf('PeerPage', peerShape);
export type PeerPage = z.output<typeof peerPageShape>;
