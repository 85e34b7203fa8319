import { z } from 'zod';
import { contentId, count } from './field-schemas.ts';
import type { Read } from './rejection.ts';
import { refuseValue } from './unknown-value.ts';

export interface LogsRequest {
  readonly contractId: string;
  readonly stream: 'stdout' | 'stderr';
  /** Byte offset of the first byte wanted. */
  readonly offset: number;
  /** Goes on until the attempt ends. */
  readonly follow: boolean;
}

const logsRequest: z.ZodType<LogsRequest> = z.object({
  contractId: contentId,
  stream: z.enum(['stdout', 'stderr']),
  offset: count,
  follow: z.boolean(),
});

export function readLogsRequest(body: unknown): Read<LogsRequest> {
  const request = logsRequest.safeParse(body);
  return request.success ? { ok: true, value: request.data } : refuseValue(body, request.error);
}
