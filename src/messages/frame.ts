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
const KIND = /^[a-z][a-z-]{0,63}$/;
const kinds: ReadonlyMap<unknown, FrameKind> = new Map(frameKinds.map((kind) => [kind, kind]));

/**
 * By hand, because every message of every peer comes through here. Nobody may add to a frame: no signature would cover
 * what was added. A kind that is not known is one of a later release.
 */
function readFrame(value: unknown): Read<Frame> {
  if (typeof value !== 'object' || value === null || !('kind' in value) || !('body' in value))
    return refuse('MALFORMED', 'not a frame');
  if (Object.keys(value).length !== FRAME_KEYS) return refuse('MALFORMED', 'more than a frame');
  const kind = kinds.get(value.kind);
  if (kind !== undefined) return { ok: true, value: { kind, body: value.body } };
  return typeof value.kind === 'string' && KIND.test(value.kind)
    ? refuse('UNKNOWN_KIND', value.kind)
    : refuse('MALFORMED', 'not a kind');
}

export function encodeFrame(frame: Frame): Uint8Array {
  return encodeCanonical(frame);
}

export function decodeFrame(bytes: Uint8Array, maxBytes: number): Read<Frame> {
  if (bytes.length > maxBytes) return refuse('OVERSIZED', `${bytes.length} bytes`);
  try {
    return readFrame(decodeCanonical(bytes));
  } catch {
    return refuse('MALFORMED', 'frame is not canonical');
  }
}

export interface Refused {
  readonly code: string;
}

export const refusedSchema: z.ZodType<Refused> = z.object({
  code: z.string().regex(/^[A-Z][A-Z_]{0,63}$/),
});
