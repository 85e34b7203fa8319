import { z } from 'zod';
import { named, pageOf } from '../named.ts';
import { whyShape } from './why.ts';

/** What happened to a job; `seq` counts from 1 without gaps. */
export const jobEventShape = named(
  'JobEvent',
  z.object({
    seq: z.number().int(),
    at: z.iso.datetime(),
    type: z.string(),
    executionId: z.string().optional(),
    partition: z.number().int().optional(),
    provider: z.string().optional(),
    code: z.string().optional(),
    message: z.string().optional(),
    why: whyShape.optional(),
    data: z.record(z.string(), z.unknown()).optional(),
  }),
);
export type JobEvent = z.output<typeof jobEventShape>;

export const jobEventPageShape = pageOf('JobEventPage', jobEventShape);
