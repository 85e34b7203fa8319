import { z } from 'zod';
import type { Desired, ServingAnswer, ServingItem, ServingList } from '../domain/market/serving.ts';
import { exitReasons } from '../domain/program/task.ts';
import { contentId, count, idText, text, wallTimeMs } from './field-schemas.ts';
import type { SignedMessage } from './message.ts';
import { openWord } from './open-words.ts';

/** Executions that one provider can report to one requester. */
const MOST_SERVING_ITEMS = 4096;

const STATES = [
  'BidAccepted',
  'Running',
  'Publishing',
  'Failed',
  'Cancelled',
] as const satisfies readonly ServingItem['state'][];

const DESIRED = ['run', 'stop', 'done'] as const satisfies readonly Desired[];

/** A state that is not known here is no end, and an end is said in words that all know: the work goes on. */
const servingItem: z.ZodType<ServingItem> = z.object({
  executionId: idText,
  contractId: contentId,
  attempt: count,
  sequence: count,
  state: openWord(STATES, 'Running'),
  startedAt: wallTimeMs.exactOptional(),
  finishedAt: wallTimeMs.exactOptional(),
  exitCode: z.number().int().exactOptional(),
  exitReason: openWord(exitReasons, 'internal').exactOptional(),
  message: text.exactOptional(),
  resultCid: contentId.exactOptional(),
  resultBytes: count.exactOptional(),
  usage: z.object({ wallClockMs: count, cpuMs: count }).exactOptional(),
});

export const servingListMessage: SignedMessage<ServingList> = {
  type: 'serving-list',
  maxPayloadBytes: 2 * 1024 * 1024,
  schema: z.object({ number: count, items: z.array(servingItem).max(MOST_SERVING_ITEMS) }),
};

export const servingAnswerMessage: SignedMessage<ServingAnswer> = {
  type: 'serving-answer',
  maxPayloadBytes: 1024 * 1024,
  schema: z.object({
    number: count,
    desired: z
      .array(z.object({ executionId: idText, attempt: count, desired: openWord(DESIRED, 'run') }))
      .max(MOST_SERVING_ITEMS),
  }),
};
