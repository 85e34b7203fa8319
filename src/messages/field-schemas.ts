import { z } from 'zod';
import type { CapabilityComparison } from '../domain/matching/comparison.ts';
import { FEATURE, MOST_FEATURES } from '../domain/market/features.ts';
import { advertName } from '../domain/market/advert.ts';
import type { Price } from '../domain/units/money.ts';
import { decimalAmount, pricePeriods } from '../domain/units/money.ts';
import { type Asking, LONGEST_MODEL, MOST_LINES, rateFields } from '../domain/units/rate-card.ts';
import { PEER_ID } from '../domain/units/peer-id.ts';
import type { ResourceRequirements } from '../domain/units/resources.ts';
import { isContentId } from '../lib/canonical.ts';
import { openWord } from './open-words.ts';

const LONGEST_ID = 128;
const LONGEST_TEXT = 1024;
const LONGEST_SHORT_TEXT = 256;
const LONGEST_AMOUNT = 64;
const LONGEST_DURATION_MS = 366 * 24 * 60 * 60 * 1000;
export const SIGNATURE_BYTES = 64;
const MOST_PEER_RECORD_BYTES = 4096;
const MOST_GPU_GROUPS = 8;
const MOST_COMPARED_FIELDS = 512;
const THOUSANDTHS = 1000;

export const peerIdText = z.string().regex(PEER_ID, 'expected an Ed25519 peer id');
export const idText = z.string().min(1).max(LONGEST_ID);
export const text = z.string().max(LONGEST_TEXT);
export const shortText = z.string().max(LONGEST_SHORT_TEXT);
export const contentId = z.string().max(LONGEST_ID).refine(isContentId, 'expected a content id');
/** As adverts tell of engines; one that this node has not is no fault of who asks for it. */
export const engineName = z.string().regex(advertName);
export const features = z.array(z.string().regex(FEATURE)).max(MOST_FEATURES);
export const durationMs = z.number().int().min(0).max(LONGEST_DURATION_MS);
export const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
export const wallTimeMs = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
export const signatureBytes = z
  .instanceof(Uint8Array)
  .refine((bytes) => bytes.length === SIGNATURE_BYTES, 'expected 64 bytes');
export const peerRecordBytes = z
  .instanceof(Uint8Array)
  .refine((bytes) => bytes.length <= MOST_PEER_RECORD_BYTES, 'peer record too large');

const PRICE_ITEM = /^[a-z][a-z-]{0,31}$/;
const currency = z.string().regex(/^[A-Z]{3,8}$/);

const priceLines = z
  .array(
    z.object({
      item: z.string().regex(PRICE_ITEM),
      model: z.string().max(LONGEST_MODEL).exactOptional(),
      quantity: decimalAmount,
      rate: decimalAmount,
      amount: decimalAmount,
    }),
  )
  .max(MOST_LINES);

export const price: z.ZodType<Price> = z.object({
  amount: decimalAmount,
  currency,
  per: z.enum(pricePeriods),
  lines: priceLines.exactOptional(),
});

/** What a provider asks of everybody: a price, or rates. */
export const asking: z.ZodType<Asking> = z.union([
  z.object({ amount: decimalAmount, currency, per: z.enum(pricePeriods) }),
  z.object({ amount: z.never().exactOptional(), currency, ...rateFields }),
]);

/** A price as somebody states it: whether its amount is one is judged where it would count. */
export const statedPrice: z.ZodType<Price> = z.object({
  amount: z.string().max(LONGEST_AMOUNT),
  currency,
  per: z.enum(pricePeriods),
  lines: priceLines.exactOptional(),
});

const gpuText = z.string().max(64);

export const resourceRequirements: z.ZodType<ResourceRequirements> = z.object({
  cpuMillis: count,
  memoryBytes: count,
  diskBytes: count,
  gpus: z
    .array(
      z.object({
        count: z.number().int().min(1).max(64),
        vendor: gpuText.exactOptional(),
        model: gpuText.exactOptional(),
        vramBytes: count.exactOptional(),
        driver: gpuText.exactOptional(),
        computeCapability: gpuText.exactOptional(),
      }),
    )
    .max(MOST_GPU_GROUPS),
});

export const capabilityComparison: z.ZodType<CapabilityComparison> = z.object({
  fields: z
    .array(
      z.object({
        field: shortText,
        required: text,
        available: text,
        result: openWord(['Worse', 'Equal', 'Better', 'Error'], 'Error'),
        hard: z.boolean(),
        weight: z.number().int().min(0).max(THOUSANDTHS).exactOptional(),
      }),
    )
    .max(MOST_COMPARED_FIELDS),
  hardOk: z.boolean(),
  softScore: z.number().int().min(0).max(THOUSANDTHS),
});
