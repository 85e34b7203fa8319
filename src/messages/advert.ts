import { z } from 'zod';
import {
  type Advert,
  type AdvertAmounts,
  advertBounds,
  advertName,
  MOST_ADVERT_BYTES,
} from '../domain/market/advert.ts';
import { count, durationMs, peerRecordBytes, price } from './field-schemas.ts';
import type { SignedMessage } from './message.ts';

const advertText = z.string().max(advertBounds.textLength);

const entries = z
  .record(z.string().regex(advertName), z.string().max(advertBounds.valueLength))
  .refine((record) => Object.keys(record).length <= advertBounds.names, 'too many names');

const amounts: z.ZodType<AdvertAmounts> = z.strictObject({
  cpuMillis: count,
  memoryBytes: count,
  diskBytes: count,
  gpus: z
    .array(
      z.strictObject({
        count: z.number().int().min(1).max(advertBounds.devices),
        vendor: z.enum(['nvidia', 'amd', 'intel', 'unknown']),
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
  schema: z.strictObject({
    nodeVersion: advertText,
    cpu: z.strictObject({ cores: count, arch: advertText, model: advertText, vendor: advertText }),
    engines: entries,
    runtimes: entries,
    runtimeMemory: z
      .strictObject({ wasm: count.exactOptional(), python: count.exactOptional() })
      .exactOptional(),
    labels: entries,
    location: z.strictObject({
      continent: advertText.exactOptional(),
      country: advertText.exactOptional(),
      city: advertText.exactOptional(),
      asn: advertText.exactOptional(),
    }),
    onboarded: amounts,
    free: amounts,
    price,
    draining: z.boolean(),
    validForMs: durationMs,
    sequence: count,
    providerRecord: peerRecordBytes,
  }),
};
