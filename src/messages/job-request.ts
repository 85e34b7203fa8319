import { z } from 'zod';
import type { JobRequest } from '../domain/market/bid.ts';
import { count, idText } from './field-schemas.ts';
import type { SignedMessage } from './message.ts';

export const jobRequestMessage: SignedMessage<JobRequest> = {
  type: 'job-request',
  maxPayloadBytes: 2 * 1024,
  schema: z.object({ requestId: idText, bidId: idText, executionId: idText, attempt: count }),
};
