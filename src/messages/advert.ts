import { z } from 'zod';
import {
  type Advert,
  type AdvertAmounts,
  advertBounds,
  advertName,
  MOST_ADVERT_BYTES,
} from '../domain/market/advert.ts';
import { asking, count, durationMs, features, peerRecordBytes } from './field-schemas.ts';
import type { SignedMessage } from './message.ts';

const advertText = z.string().max(advertBounds.textLength);

function entriesOf<Value>(value: z.ZodType<Value>): z.ZodType<Record<string, Value>> {
  return z
    .record(z.string().regex(advertName), value)
    .refine((record) => Object.keys(record).length <= advertBounds.names, 'too many names');
}

const entries = entriesOf(z.string().max(advertBounds.valueLength));

const amounts: z.ZodType<AdvertAmounts> = z.object({
  cpuMillis: count,
  memoryBytes: count,
  diskBytes: count,
  gpus: z
    .array(
      z.object({
        count: z.number().int().min(1).max(advertBounds.devices),
        vendor: advertText,
        model: advertText,
        vramBytes: count,
        driver: advertText.exactOptional(),
        computeCapability: advertText.exactOptional(),
      }),
    )
    .max(advertBounds.gpuGroups)
    .refine(
      (groups) => groups.reduce((sum, group) => sum + group.count, 0) <= advertBounds.devices,
      'too many devices',
    ),
});

export const advertMessage: SignedMessage<Advert> = {
  type: 'advert',
  maxPayloadBytes: MOST_ADVERT_BYTES,
  schema: z.object({
    nodeVersion: advertText,
    cpu: z.object({ cores: count, arch: advertText, model: advertText, vendor: advertText }),
    engines: entries,
    runtimes: entries,
    runtimeMemory: entriesOf(count).exactOptional(),
    labels: entries,
    location: z.object({
      continent: advertText.exactOptional(),
      country: advertText.exactOptional(),
      city: advertText.exactOptional(),
      asn: advertText.exactOptional(),
    }),
    onboarded: amounts,
    free: amounts,
    price: asking,
    draining: z.boolean(),
    features: features.exactOptional(),
    validForMs: durationMs,
    sequence: count,
    providerRecord: peerRecordBytes,
  }),
};
