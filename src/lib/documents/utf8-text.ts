import { isUtf8 } from 'node:buffer';
import { DocumentFault, type Place } from './document-fault.ts';

const LINE_FEED = 0x0a;
const SLICE_BYTES = 4096;
const LONGEST_CHARACTER = 4;

/**
 * Bytes as text. Only UTF-8 is taken, with or without its mark; nothing is replaced.
 * Throws {@link DocumentFault} at the first byte at fault.
 */
export function textOf(bytes: Uint8Array): string {
  if (isUtf16(bytes)) throw new DocumentFault('utf-16', undefined);
  if (!isUtf8(bytes)) throw notUtf8(bytes, firstFault(bytes));
  return new TextDecoder().decode(bytes);
}

/** By its mark, or by the zero that every second byte of plain text then is. */
function isUtf16([first, second, third, fourth]: Uint8Array): boolean {
  const marked = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  const little = second === 0 && fourth === 0 && first !== 0 && third !== 0 && third !== undefined;
  const big = first === 0 && third === 0 && second !== 0 && fourth !== 0 && fourth !== undefined;
  return marked || little || big;
}

function firstFault(bytes: Uint8Array): number {
  let at = 0;
  for (let end = sliceEnd(bytes, at); isUtf8(bytes.subarray(at, end)); end = sliceEnd(bytes, at)) at = end;
  for (let size = sizeOf(bytes[at]); isUtf8(bytes.subarray(at, at + size)); size = sizeOf(bytes[at]))
    at += size;
  return at;
}

/** Not in the middle of a character, where the text is good. */
function sliceEnd(bytes: Uint8Array, from: number): number {
  let end = Math.min(bytes.length, from + SLICE_BYTES);
  for (let back = 0; back < LONGEST_CHARACTER && isInside(bytes[end]); back += 1) end -= 1;
  return end;
}

function isInside(byte: number | undefined): boolean {
  return byte !== undefined && byte >> 6 === 0b10;
}

function sizeOf(first = 0): number {
  if (first < 0xc0) return 1;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : LONGEST_CHARACTER;
}

function notUtf8(bytes: Uint8Array, offset: number): DocumentFault {
  const place = placeOfByte(bytes, offset);
  return new DocumentFault('not-utf-8', place, {
    reason: `the byte 0x${(bytes[offset] ?? 0).toString(16).toUpperCase().padStart(2, '0')} is not UTF-8 text. Save it as UTF-8`,
  });
}

function placeOfByte(bytes: Uint8Array, offset: number): Place {
  let line = 1;
  let start = 0;
  for (let at = 0; at < offset; at += 1) {
    if (bytes[at] !== LINE_FEED) continue;
    line += 1;
    start = at + 1;
  }
  return { line, column: new TextDecoder().decode(bytes.subarray(start, offset)).length + 1 };
}
