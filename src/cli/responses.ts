import { z } from 'zod';

/** The parts of the API's answers that the command line reads. What else is in them passes through. */

const price = z.object({
  amount: z.string(),
  currency: z.string(),
  per: z.string(),
  lines: z
    .array(
      z.object({
        item: z.string(),
        model: z.string().optional(),
        quantity: z.string(),
        rate: z.string(),
        amount: z.string(),
      }),
    )
    .optional(),
});
const asking = z.union([
  price,
  z.object({
    currency: z.string(),
    base: z.string().optional(),
    cpuHour: z.string().optional(),
    memoryGiBHour: z.string().optional(),
    diskGiBHour: z.string().optional(),
    gpuHour: z.record(z.string(), z.string()).optional(),
  }),
]);
export type PriceAnswer = z.output<typeof price>;

const executionShape = z.looseObject({
  id: z.string(),
  provider: z.string(),
  partition: z.number(),
  attempt: z.number(),
  observedState: z.string(),
  contractId: z.string().optional(),
  price: price.optional(),
  startedAt: z.string().optional(),
  finishedAt: z.string().optional(),
  exitCode: z.number().optional(),
  exitReason: z.string().optional(),
  message: z.string().optional(),
});

const jobSummaryShape = z.looseObject({
  id: z.string(),
  name: z.string(),
  state: z.string(),
  reason: z.string().optional(),
  createdAt: z.string(),
  count: z.number(),
  finishedAt: z.string().optional(),
  exitCode: z.number().optional(),
  providers: z.array(z.string()),
  partitions: z.object({
    waiting: z.number(),
    negotiating: z.number(),
    running: z.number(),
    completed: z.number(),
    failed: z.number(),
  }),
});

export type JobSummaryAnswer = z.output<typeof jobSummaryShape>;

export const jobShape = jobSummaryShape.extend({ executions: z.array(executionShape) });
export type JobAnswer = z.output<typeof jobShape>;
export type ExecutionAnswer = JobAnswer['executions'][number];

export const jobListShape = z.object({
  items: z.array(jobSummaryShape),
  nextCursor: z.string().optional(),
});

export const eventShape = z.looseObject({
  seq: z.number(),
  at: z.string(),
  type: z.string(),
  executionId: z.string().optional(),
  partition: z.number().optional(),
  provider: z.string().optional(),
  code: z.string().optional(),
  message: z.string().optional(),
});
export type EventAnswer = z.output<typeof eventShape>;

export const eventListShape = z.object({ items: z.array(eventShape), nextCursor: z.string().optional() });

export const resultListShape = z.object({
  items: z.array(
    z.object({
      executionId: z.string(),
      partition: z.number(),
      files: z.array(z.object({ path: z.string(), size: z.number(), cid: z.string() })),
    }),
  ),
  nextCursor: z.string().optional(),
});
export type ResultAnswer = z.output<typeof resultListShape>['items'][number];

export const contractListShape = z.object({
  items: z.array(z.looseObject({ id: z.string(), state: z.string() })),
});

export const blobShape = z.object({ cid: z.string() });

export const statusShape = z.looseObject({
  peerId: z.string(),
  did: z.string(),
  network: z.string(),
  version: z.string(),
  multiaddrs: z.array(z.string()),
  peers: z.number(),
  foreignPeers: z.number().optional(),
  otherNetworks: z.array(z.string()).optional(),
  openNetwork: z.boolean(),
  draining: z.boolean().optional(),
  heldBack: z
    .array(
      z.looseObject({
        peerId: z.string(),
        prefix: z.string().optional(),
        code: z.string(),
        times: z.number(),
      }),
    )
    .optional(),
  storeDamage: z
    .looseObject({ count: z.number(), first: z.array(z.looseObject({ message: z.string() })) })
    .optional(),
});
export type StatusAnswer = z.output<typeof statusShape>;

export const drainShape = z.looseObject({ draining: z.boolean() });

const rank = z.object({ name: z.string(), value: z.number(), weight: z.number(), reason: z.string() });

export const explanationShape = z.looseObject({
  placed: z.boolean(),
  winner: z.looseObject({ provider: z.string(), score: z.number(), reason: z.string() }).optional(),
  candidates: z.array(
    z.looseObject({
      provider: z.string(),
      score: z.number(),
      ranks: z.array(rank),
      price,
      locked: z.boolean(),
    }),
  ),
  seenAtLeast: z.number(),
  declines: z.array(z.looseObject({ code: z.string(), field: z.string().optional(), count: z.number() })),
  nearest: z
    .looseObject({ field: z.string(), required: z.string(), available: z.string(), providers: z.number() })
    .optional(),
  suggestions: z.array(z.string()),
});
export type ExplanationAnswer = z.output<typeof explanationShape>;

const amount = z.looseObject({
  cpuMillis: z.number(),
  memoryBytes: z.number(),
  diskBytes: z.number(),
  gpus: z.array(z.looseObject({ model: z.string(), vramBytes: z.number() })),
});

export const resourcesShape = z.looseObject({
  machine: amount,
  onboarded: amount,
  locked: amount,
  allocated: amount,
  free: amount,
  leases: z.array(z.unknown()),
  offersNothing: z.string().optional(),
  price: asking.optional(),
  draining: z.boolean().optional(),
});

export const peerListShape = z.object({
  items: z.array(
    z.looseObject({
      peerId: z.string(),
      connected: z.boolean(),
      foreign: z.boolean().optional(),
      network: z.string().optional(),
      release: z.enum(['older', 'newer']).optional(),
      version: z.string().optional(),
      engines: z.record(z.string(), z.string()).optional(),
      location: z.record(z.string(), z.string()).optional(),
      free: z
        .looseObject({
          cpuMillis: z.number(),
          memoryBytes: z.number(),
          gpus: z.array(z.looseObject({ model: z.string(), vramBytes: z.number(), count: z.number() })),
        })
        .optional(),
      price: asking.optional(),
      draining: z.boolean().optional(),
    }),
  ),
});
export type PeerAnswer = z.output<typeof peerListShape>['items'][number];
