import { z } from 'zod';
import { named } from '../named.ts';
import { rankedBidShape } from './bid.ts';
import { whyShape } from './why.ts';

export const explanationShape = named(
  'Explanation',
  z.object({
    placed: z.boolean(),
    winner: z
      .object({
        provider: z.string(),
        executionId: z.string().optional(),
        score: z.number(),
        reason: z.string(),
        why: whyShape,
        ended: z.object({ exitReason: z.string(), why: whyShape }).optional(),
      })
      .optional(),
    candidates: z.array(rankedBidShape),
    seenAtLeast: z.number().int(),
    declines: z.array(z.object({ code: z.string(), field: z.string().optional(), count: z.number().int() })),
    nearest: z
      .object({
        field: z.string(),
        required: z.string(),
        available: z.string(),
        providers: z.number().int(),
      })
      .optional(),
    suggestions: z.array(z.string()),
    hints: z.array(whyShape),
  }),
);
export type Explanation = z.output<typeof explanationShape>;
