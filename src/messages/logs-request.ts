import { z } from 'zod';
import { contentId, count } from './field-schemas.ts';

export interface LogsRequest {
  readonly contractId: string;
  readonly stream: 'stdout' | 'stderr';
  /** Byte offset of the first byte wanted. */
  readonly offset: number;
  /** Goes on until the attempt ends. */
  readonly follow: boolean;
}

export const logsRequestSchema: z.ZodType<LogsRequest> = z.strictObject({
  contractId: contentId,
  stream: z.enum(['stdout', 'stderr']),
  offset: count,
  follow: z.boolean(),
});
