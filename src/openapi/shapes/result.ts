import { z } from 'zod';
import { named, pageOf } from '../named.ts';

/** The files of one partition's result, or the part of them that is on a page. */
export const resultShape = named(
  'Result',
  z.object({
    executionId: z.string(),
    partition: z.number().int(),
    files: z.array(z.object({ path: z.string(), size: z.number().int(), cid: z.string() })),
  }),
);
export type Result = z.output<typeof resultShape>;

export const resultPageShape = pageOf('ResultPage', resultShape);
export type ResultPage = z.output<typeof resultPageShape>;

export const storedBlobShape = named('StoredBlob', z.object({ cid: z.string(), size: z.number().int() }));
export type StoredBlob = z.output<typeof storedBlobShape>;
