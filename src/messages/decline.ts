import { z } from 'zod';
import type { Decline, DeclineCode, DeclineStage } from '../domain/market/bid.ts';
import { durationMs, idText, shortText, text } from './field-schemas.ts';
import type { SignedMessage } from './message.ts';

const STAGES = ['bid', 'job-request', 'contract', 'invocation'] as const satisfies readonly DeclineStage[];

const CODES = [
  'INSUFFICIENT_RESOURCES',
  'KEPT_SHARE',
  'CONSTRAINT_UNMET',
  'ENGINE_UNAVAILABLE',
  'POLICY',
  'BUSY',
  'DRAINING',
  'PRICE',
  'NOT_VERIFIED',
  'BID_EXPIRED',
  'LOCK_EXPIRED',
  'REQUEST_CLOSED',
  'DUPLICATE',
  'RATE_LIMITED',
  'INVALID',
  'INTERNAL',
] as const satisfies readonly DeclineCode[];

export const declineMessage: SignedMessage<Decline> = {
  type: 'decline',
  maxPayloadBytes: 8 * 1024,
  schema: z.strictObject({
    requestId: idText,
    jobId: idText,
    stage: z.enum(STAGES),
    code: z.enum(CODES),
    message: text,
    field: shortText.exactOptional(),
    required: text.exactOptional(),
    available: text.exactOptional(),
    retryable: z.boolean(),
    retryAfterMs: durationMs.exactOptional(),
  }),
};
