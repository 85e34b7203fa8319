import { z } from 'zod';
import { type BidRequest, MOST_EXCLUDED } from '../domain/market/bid.ts';
import type { Requirements } from '../domain/matching/requirements.ts';
import { REACHED_TAG_LENGTH } from '../domain/market/reached.ts';
import { hardConstraint, softConstraint } from './constraint.ts';
import {
  contentId,
  count,
  durationMs,
  engineName,
  features,
  idText,
  peerIdText,
  peerRecordBytes,
  price,
  resourceRequirements,
} from './field-schemas.ts';
import type { SignedMessage } from './message.ts';

const MOST_CONSTRAINTS = 32;
const MOST_SLOTS = 1000;
const MOST_WANTED_BIDS = 1000;
const MOST_REACHED = 64;
const MOST_INVITED = 64;
const FULL_FIT = 1000;

const requirements: z.ZodType<Requirements> = z.object({
  resources: resourceRequirements,
  engine: z.object({ type: engineName }),
  constraints: z.object({
    hard: z.array(hardConstraint).max(MOST_CONSTRAINTS),
    soft: z.array(softConstraint).max(MOST_CONSTRAINTS),
  }),
  executionTimeoutMs: durationMs,
});

export const bidRequestMessage: SignedMessage<BidRequest> = {
  type: 'bid-request',
  maxPayloadBytes: 48 * 1024,
  schema: z.object({
    requestId: idText,
    jobId: idText,
    jobDigest: contentId,
    round: count,
    requirements,
    budget: price.exactOptional(),
    inputBytes: count.exactOptional(),
    slots: z.number().int().min(1).max(MOST_SLOTS),
    wantedBids: z.number().int().min(1).max(MOST_WANTED_BIDS),
    windowMs: durationMs,
    answerShare: z.number().gt(0).max(1),
    answerFit: z
      .object({
        least: z.number().int().min(0).max(FULL_FIT),
        best: z.number().int().min(0).max(FULL_FIT),
      })
      .refine(({ least, best }) => least <= best)
      .exactOptional(),
    answerAlways: z.boolean(),
    declineShare: z.number().min(0).max(1).exactOptional(),
    exclude: z.array(peerIdText).max(MOST_EXCLUDED),
    trial: z.literal(true).exactOptional(),
    invited: z.array(z.string().length(REACHED_TAG_LENGTH)).max(MOST_INVITED).exactOptional(),
    reached: z.array(z.string().length(REACHED_TAG_LENGTH)).max(MOST_REACHED).exactOptional(),
    features: features.exactOptional(),
    requesterRecord: peerRecordBytes,
  }),
};
