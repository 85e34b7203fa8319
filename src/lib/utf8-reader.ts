import { isUtf8 } from 'node:buffer';

/** Up to here a loop over the bytes is faster than a call into the platform. */
const SHORT_BYTES = 24;
const ASCII_LIMIT = 0x80;
const LAST_CODE_POINT = 0x10ffff;
const FIRST_SURROGATE = 0xd800;
const BEHIND_SURROGATES = 0xe000;
const CONTINUATION_BITS = 6;
/** By how many bytes follow the first: what no shorter form could hold. */
const LEAST_CODE_POINTS = [0, 0x80, 0x800, 0x10000] as const;

/** The text of `buffer` from `start` to `end`; undefined where those bytes are no UTF-8, and would not be written again. */
export function readUtf8(buffer: Buffer, start: number, end: number): string | undefined {
  if (end - start <= SHORT_BYTES) return readShort(buffer, start, end);
  return isUtf8(buffer.subarray(start, end)) ? buffer.toString('utf8', start, end) : undefined;
}

function readShort(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = '';
  for (let at = start; at < end; ) {
    const first = bytes[at] ?? 0;
    const following = first < ASCII_LIMIT ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    const point = following === 0 ? first : codePoint(bytes, at, following);
    at += 1 + following;
    if (point === undefined || at > end) return undefined;
    text += String.fromCodePoint(point);
  }
  return text;
}

function codePoint(bytes: Uint8Array, at: number, following: number): number | undefined {
  const first = bytes[at] ?? 0;
  if (first < 0xc0 || first > 0xf7) return undefined;
  let point = first & (0x3f >> following);
  for (let next = at + 1; next <= at + following; next += 1) {
    const byte = bytes[next] ?? 0;
    if ((byte & 0xc0) !== ASCII_LIMIT) return undefined;
    point = (point << CONTINUATION_BITS) | (byte & 0x3f);
  }
  const isSurrogate = point >= FIRST_SURROGATE && point < BEHIND_SURROGATES;
  const isShortest = point >= (LEAST_CODE_POINTS[following] ?? LAST_CODE_POINT);
  return isShortest && !isSurrogate && point <= LAST_CODE_POINT ? point : undefined;
}
