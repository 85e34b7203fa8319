import { z } from 'zod';
import { named } from '../named.ts';

const FOREIGN =
  'Connected peers that are not of this network, or of another release of it: they will never answer.';
const DAMAGE = 'What of the store could not be read since the start, and was passed over.';
const HELD =
  'Peers that cost this node more than they may, within the last minute: they are read later, or not at all.';
export const DRAINING = 'Takes no new work; only on a node that offers something.';

export const statusShape = named(
  'Status',
  z.object({
    peerId: z.string(),
    did: z.string(),
    network: z.string(),
    version: z.string(),
    multiaddrs: z.array(z.string()),
    peers: z.number().int(),
    foreignPeers: z.number().int().describe(FOREIGN).optional(),
    otherNetworks: z.array(z.string()).optional(),
    openNetwork: z.boolean(),
    draining: z.boolean().describe(DRAINING).optional(),
    heldBack: z
      .array(
        z.object({
          peerId: z.string(),
          prefix: z.string().optional(),
          code: z.string(),
          times: z.number().int(),
        }),
      )
      .describe(HELD)
      .optional(),
    storeDamage: z
      .object({
        count: z.number().int(),
        first: z.array(
          z.object({ where: z.string(), message: z.string(), lost: z.array(z.string()).optional() }),
        ),
      })
      .describe(DAMAGE)
      .optional(),
  }),
);
export type Status = z.output<typeof statusShape>;

export const drainedShape = named('Drained', z.object({ draining: z.boolean() }));
export type Drained = z.output<typeof drainedShape>;

export const livenessShape = named('Liveness', z.object({ ok: z.literal(true) }));
export type Liveness = z.output<typeof livenessShape>;

export const readinessShape = named('Readiness', z.object({ ok: z.boolean(), reasons: z.array(z.string()) }));
export type Readiness = z.output<typeof readinessShape>;
