import { z } from 'zod';

export const logStreamShape = z.enum(['stdout', 'stderr']);
export type LogStream = z.output<typeof logStreamShape>;

const offset = z.number().int();

/** What the server-sent events of a log say, by their names. `bytes` are base64. */
export const logEventShapes = {
  attempt: z.object({
    executionId: z.string(),
    partition: z.number().int(),
    attempt: z.number().int(),
    provider: z.string(),
    offset,
  }),
  output: z.object({ executionId: z.string(), offset, bytes: z.base64() }),
  missing: z.object({ executionId: z.string(), offset, until: offset.optional() }),
  end: z.object({
    jobState: z.string(),
    executionId: z.string().optional(),
    exitReason: z.string().optional(),
    exitCode: z.number().int().optional(),
  }),
  error: z.object({ code: z.string(), detail: z.string() }),
} as const;
