import { z } from '@hono/zod-openapi';
import { partitionOf } from '../../domain/market/execution.ts';
import type { JobEvent } from '../../domain/job/job-event.ts';
import type { Calendar } from '../../lib/calendar.ts';
import { plainJson } from './plain-json.ts';

export const eventViewSchema = z
  .object({
    seq: z.number().int(),
    at: z.iso.datetime(),
    type: z.string(),
    executionId: z.string().optional(),
    partition: z.number().int().optional(),
    provider: z.string().optional(),
    code: z.string().optional(),
    message: z.string().optional(),
    data: z.record(z.string(), z.unknown()).optional(),
  })
  .openapi('JobEvent');

export function eventView(event: JobEvent, calendar: Calendar): z.infer<typeof eventViewSchema> {
  const { seq, at, type, data, executionId, provider, code, message } = event;
  const partition = executionId === undefined ? undefined : partitionOf(executionId);
  return {
    seq,
    at: calendar.isoTime(at),
    type,
    ...(executionId === undefined ? {} : { executionId }),
    ...(partition === undefined ? {} : { partition }),
    ...(provider === undefined ? {} : { provider }),
    ...(code === undefined ? {} : { code }),
    ...(message === undefined ? {} : { message }),
    ...(data === undefined ? {} : { data: plainJson(data) }),
  };
}
