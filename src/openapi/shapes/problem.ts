import { z } from 'zod';
import { named } from '../named.ts';

/** A refusal (RFC 9457). `code` never changes its meaning; `detail` is a sentence that ends with the next step. */
export const problemShape = named(
  'Problem',
  z.object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    code: z.string(),
    detail: z.string(),
    errors: z.array(z.object({ path: z.string(), code: z.string(), message: z.string() })).optional(),
  }),
);
