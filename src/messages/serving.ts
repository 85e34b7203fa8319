import { z } from 'zod';
import type { ServingAnswer, ServingItem, ServingList } from '../domain/market/serving.ts';
import { exitReasons } from '../domain/program/task.ts';
import { contentId, count, idText, text, wallTimeMs } from './field-schemas.ts';
import type { SignedMessage } from './message.ts';

/** Executions that one provider can report to one requester. */
const MOST_SERVING_ITEMS = 4096;

const servingItem: z.ZodType<ServingItem> = z.strictObject({
  executionId: idText,
  contractId: contentId,
  attempt: count,
  sequence: count,
  state: z.enum(['BidAccepted', 'Running', 'Publishing', 'Failed', 'Cancelled']),
  startedAt: wallTimeMs.exactOptional(),
  finishedAt: wallTimeMs.exactOptional(),
  exitCode: z.number().int().exactOptional(),
  exitReason: z.enum(exitReasons).exactOptional(),
  message: text.exactOptional(),
  resultCid: contentId.exactOptional(),
  resultBytes: count.exactOptional(),
  usage: z.strictObject({ wallClockMs: count, cpuMs: count }).exactOptional(),
});

export const servingListMessage: SignedMessage<ServingList> = {
  type: 'serving-list',
  maxPayloadBytes: 2 * 1024 * 1024,
  schema: z.strictObject({ number: count, items: z.array(servingItem).max(MOST_SERVING_ITEMS) }),
};

export const servingAnswerMessage: SignedMessage<ServingAnswer> = {
  type: 'serving-answer',
  maxPayloadBytes: 1024 * 1024,
  schema: z.strictObject({
    number: count,
    desired: z
      .array(
        z.strictObject({ executionId: idText, attempt: count, desired: z.enum(['run', 'stop', 'done']) }),
      )
      .max(MOST_SERVING_ITEMS),
  }),
};
