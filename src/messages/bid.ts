import { z } from 'zod';
import type { Bid } from '../domain/market/bid.ts';
import {
  capabilityComparison,
  count,
  durationMs,
  idText,
  peerRecordBytes,
  statedPrice,
} from './field-schemas.ts';
import type { SignedMessage } from './message.ts';

const MOST_SLOTS = 1000;
const MOST_GPUS = 1024;

const share = z.number().min(0).max(1);
const gpuCount = z.number().int().min(0).max(MOST_GPUS);
const fit = z
  .object({ cpuFree: share, memoryFree: share, diskFree: share, gpusFree: gpuCount, gpus: gpuCount })
  .refine(({ gpusFree, gpus }) => gpusFree <= gpus, 'more free devices than there are');

export const bidMessage: SignedMessage<Bid> = {
  type: 'bid',
  maxPayloadBytes: 96 * 1024,
  schema: z.object({
    bidId: idText,
    requestId: idText,
    jobId: idText,
    price: statedPrice,
    time: z.object({ durationMs, startWithinMs: durationMs }),
    startsInMs: durationMs.exactOptional(),
    validForMs: durationMs,
    slots: z.number().int().min(1).max(MOST_SLOTS),
    comparison: capabilityComparison,
    load: share,
    fit: fit.exactOptional(),
    lock: z.object({ lockId: idText, version: count, ttlMs: durationMs }).exactOptional(),
    executionId: idText.exactOptional(),
    providerRecord: peerRecordBytes,
  }),
};
