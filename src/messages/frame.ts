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

const FRAME_KEYS = 2;
const kinds: ReadonlyMap<unknown, FrameKind> = new Map(frameKinds.map((kind) => [kind, kind]));

/** By hand, because every message of every peer comes through here. */
function frameOf(value: unknown): Frame | undefined {
  if (typeof value !== 'object' || value === null || !('kind' in value) || !('body' in value))
    return undefined;
  const kind = kinds.get(value.kind);
  if (kind === undefined || Object.keys(value).length !== FRAME_KEYS) return undefined;
  return { kind, body: value.body };
}

export function encodeFrame(frame: Frame): Uint8Array {
  return encodeCanonical(frame);
}

export function decodeFrame(bytes: Uint8Array, maxBytes: number): Read<Frame> {
  if (bytes.length > maxBytes) return refuse('OVERSIZED', `${bytes.length} bytes`);
  try {
    const frame = frameOf(decodeCanonical(bytes));
    if (frame !== undefined) return { ok: true, value: frame };
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
