import { z } from 'zod';
import { named } from '../named.ts';
import { DRAINING } from './node.ts';
import { askingShape } from './price.ts';

const gpuShape = named(
  'Gpu',
  z.object({
    index: z.number().int(),
    vendor: z.string(),
    model: z.string(),
    vramBytes: z.number(),
    driver: z.string().optional(),
    computeCapability: z.string().optional(),
    uuid: z.string().optional(),
  }),
);

const amountShape = named(
  'ResourceAmount',
  z.object({
    cpuMillis: z.number(),
    memoryBytes: z.number(),
    diskBytes: z.number(),
    gpus: z.array(gpuShape),
  }),
);

/** Devices that are alike stand together, with their count. */
export const freeAmountShape = named(
  'FreeAmount',
  amountShape.extend({
    gpus: z.array(gpuShape.omit({ index: true, uuid: true }).extend({ count: z.number().int() })),
  }),
);

const leaseShape = named(
  'Lease',
  z.object({
    lockId: z.string(),
    holder: z.string(),
    jobId: z.string(),
    executionId: z.string(),
    resources: amountShape,
    version: z.number().int(),
    acquiredAt: z.iso.datetime(),
    ttlMs: z.number(),
    state: z.enum(['held', 'committed', 'released', 'expired']),
  }),
);

export const resourcesShape = named(
  'Resources',
  z.object({
    machine: amountShape,
    onboarded: amountShape,
    locked: amountShape,
    allocated: amountShape,
    free: amountShape,
    leases: z.array(leaseShape),
    offersNothing: z
      .string()
      .describe('Only on a node that offers nothing: why, as a sentence. All amounts are 0 then.')
      .optional(),
    price: askingShape
      .describe('What this node asks: one price for each partition, or rates for what it takes, an hour.')
      .optional(),
    draining: z.boolean().describe(DRAINING).optional(),
  }),
);
export type Resources = z.output<typeof resourcesShape>;
