import { z } from 'zod';
import type { Decline, DeclineCode, DeclineStage } from '../domain/market/bid.ts';
import { durationMs, idText, shortText, text } from './field-schemas.ts';
import type { SignedMessage } from './message.ts';
import { openWord } from './open-words.ts';

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
  schema: z.object({
    requestId: idText,
    jobId: idText,
    stage: openWord(STAGES, 'bid'),
    code: openWord(CODES, 'INTERNAL'),
    message: text,
    field: shortText.exactOptional(),
    required: text.exactOptional(),
    available: text.exactOptional(),
    retryable: z.boolean(),
    retryAfterMs: durationMs.exactOptional(),
  }),
};
