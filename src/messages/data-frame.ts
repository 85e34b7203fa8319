import { type Read, refuse } from './rejection.ts';

/**
 * A frame of a byte stream: one tag byte, then the bytes. Streams carry much and sign nothing, so they do without
 * CBOR. A stream that breaks off without `end` is not whole.
 */
export type DataFrame =
  | { readonly kind: 'end' }
  | { readonly kind: 'data'; readonly bytes: Uint8Array }
  | { readonly kind: 'failed'; readonly code: string };

const TAG_END = 0;
const TAG_DATA = 1;
const TAG_FAILED = 2;
const CODE = /^[A-Z][A-Z_]{0,63}$/;

function tagged(tag: number, bytes: Uint8Array): Uint8Array {
  const frame = new Uint8Array(bytes.length + 1);
  frame[0] = tag;
  frame.set(bytes, 1);
  return frame;
}

export function encodeDataFrame(frame: DataFrame): Uint8Array {
  switch (frame.kind) {
    case 'end':
      return new Uint8Array([TAG_END]);
    case 'data':
      return tagged(TAG_DATA, frame.bytes);
    case 'failed':
      return tagged(TAG_FAILED, new TextEncoder().encode(frame.code));
  }
}

export function decodeDataFrame(frame: Uint8Array): Read<DataFrame> {
  const bytes = frame.subarray(1);
  if (frame[0] === TAG_DATA) return { ok: true, value: { kind: 'data', bytes } };
  if (frame[0] === TAG_END && bytes.length === 0) return { ok: true, value: { kind: 'end' } };
  const code = frame[0] === TAG_FAILED ? new TextDecoder().decode(bytes) : '';
  if (CODE.test(code)) return { ok: true, value: { kind: 'failed', code } };
  return refuse('MALFORMED', 'not a data frame');
}
