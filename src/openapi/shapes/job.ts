import { z } from 'zod';
import { named, pageOf } from '../named.ts';
import { priceShape } from './price.ts';
import { whyShape } from './why.ts';

export const jobStateShape = named(
  'JobState',
  z.enum(['Pending', 'Queued', 'Running', 'Completed', 'Failed', 'Stopped']),
);
export type JobState = z.output<typeof jobStateShape>;

const count = z.number().int();

/** Where the partitions of a job are; they add up to its count. */
export const partitionsShape = named(
  'Partitions',
  z.object({ waiting: count, negotiating: count, running: count, completed: count, failed: count }),
);

export type Partitions = z.output<typeof partitionsShape>;

export const executionShape = named(
  'Execution',
  z.object({
    id: z.string(),
    provider: z.string(),
    partition: z.number().int(),
    attempt: z.number().int(),
    observedState: z.string(),
    desiredState: z.string(),
    contractId: z.string().optional(),
    price: priceShape.optional(),
    startedAt: z.iso.datetime().optional(),
    finishedAt: z.iso.datetime().optional(),
    progress: z.number().optional(),
    exitCode: z.number().int().optional(),
    exitReason: z.string().optional(),
    message: z.string().optional(),
    why: whyShape.optional(),
  }),
);
export type Execution = z.output<typeof executionShape>;

export const jobSummaryShape = named(
  'JobSummary',
  z.object({
    id: z.string(),
    name: z.string(),
    type: z.string(),
    state: jobStateShape,
    reason: z.string().optional(),
    why: whyShape.optional(),
    count: z.number().int(),
    version: z.number().int(),
    createdAt: z.iso.datetime(),
    finishedAt: z.iso.datetime().optional(),
    exitCode: z.number().int().optional(),
    providers: z.array(z.string()),
    partitions: partitionsShape,
  }),
);
export type JobSummary = z.output<typeof jobSummaryShape>;

export const jobShape = named('Job', jobSummaryShape.extend({ executions: z.array(executionShape) }));
export type Job = z.output<typeof jobShape>;

export const jobPageShape = pageOf('JobPage', jobSummaryShape);
export type JobPage = z.output<typeof jobPageShape>;
