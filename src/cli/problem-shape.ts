import { z } from 'zod';

/** What the command line reads of an answer that is a problem document. */
export const problemShape = z.looseObject({
  code: z.string(),
  detail: z.string(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});
