import { z } from 'zod';
import { decodeCanonical, encodeCanonical } from '../lib/canonical.ts';
import { type Read, refuse } from './rejection.ts';

/** What a frame holds. Kinds of signed messages are their evidence types. */
export const frameKinds = [
  'bid-request',
  'search-closed',
  'advert',
  'bid',
  'decline',
  'job-request',
  'proposal',
  'signed-contract',
  'refused',
  'contract-query',
  'contract-accepted',
  'contract-never',
  'serving-list',
  'serving-answer',
  'content-request',
  'logs-request',
] as const;

export type FrameKind = (typeof frameKinds)[number];

/** One tagged message of a protocol or of gossip: canonical DAG-CBOR of `{kind, body}`. */
export interface Frame {
  readonly kind: FrameKind;
  readonly body: unknown;
}

const frameSchema = z.strictObject({ kind: z.enum(frameKinds), body: z.unknown() });

export function encodeFrame(frame: Frame): Uint8Array {
  return encodeCanonical(frame);
}

export function decodeFrame(bytes: Uint8Array, maxBytes: number): Read<Frame> {
  if (bytes.length > maxBytes) return refuse('OVERSIZED', `${bytes.length} bytes`);
  try {
    const shape = frameSchema.safeParse(decodeCanonical(bytes));
    if (shape.success) return { ok: true, value: { kind: shape.data.kind, body: shape.data.body } };
  } catch {
    return refuse('MALFORMED', 'frame is not canonical');
  }
  return refuse('MALFORMED', 'not a frame');
}

export interface Refused {
  readonly code: string;
}

export const refusedSchema: z.ZodType<Refused> = z.strictObject({
  code: z.string().regex(/^[A-Z][A-Z_]{0,63}$/),
});
