import { hash } from 'node:crypto';
import * as dagCbor from '@ipld/dag-cbor';
import { CID } from 'multiformats/cid';
import * as raw from 'multiformats/codecs/raw';
import { readPlain } from './canonical-reader.ts';
import { writePlain } from './canonical-writer.ts';
import { CodedError } from './coded-error.ts';

const CID_V1 = 0x01;
const SHA2_256 = 0x12;
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** The content ids most often met: CIDv1 in base32, a SHA-256 digest of raw, DAG-CBOR or DAG-PB bytes. */
const USUAL_CONTENT_ID = /^baf(?:krei|yrei|ybei)[a-h][a-z2-7]{50}[aeimquy4]$/;
/** The longest that are in use have 110 characters. What is longer costs its square to decode in some of the bases. */
const LONGEST_CONTENT_ID = 128;
/** Lists and maps inside each other. Any stack has room for so many, so that all nodes take the same bytes. */
const MOST_LEVELS = 128;
const NO_PREFIX = new Uint8Array();

/**
 * The one byte form of a value: deterministic DAG-CBOR, here behind `prefix`. Throws on `undefined`, NaN, dates and
 * class instances.
 */
export function encodeCanonical(value: unknown, prefix = NO_PREFIX): Uint8Array {
  const plain = writePlain(value, prefix);
  if (plain !== undefined) return plain;
  const encoded = dagCbor.encode(value);
  // The encoder hands out views of a pooled buffer for small values; what is kept or signed must own its bytes.
  const bytes = new Uint8Array(prefix.length + encoded.length);
  bytes.set(prefix);
  bytes.set(encoded, prefix.length);
  return bytes;
}

/**
 * The value of canonical bytes. Throws `NOT_CANONICAL` unless encoding the value gives these very bytes back (the decoder
 * alone lets unsorted keys and short floats pass), and for more than 128 levels.
 */
export function decodeCanonical(bytes: Uint8Array): unknown {
  const plain = readPlain(bytes);
  if (plain !== undefined) return plain;
  let value: unknown;
  try {
    value = dagCbor.decode(bytes);
    if (isNestedWithin(value, MOST_LEVELS) && sameBytes(dagCbor.encode(value), bytes)) return value;
  } catch (cause) {
    throw new CodedError('NOT_CANONICAL', 'The bytes are not DAG-CBOR.', { cause });
  }
  throw new CodedError('NOT_CANONICAL', 'The bytes are not in canonical DAG-CBOR form.');
}

function isNestedWithin(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (value instanceof Uint8Array || value instanceof CID) return true;
  return levels > 0 && Object.values(value).every((inner) => isNestedWithin(inner, levels - 1));
}

/** The content id (CIDv1, dag-cbor, sha2-256) of canonical bytes. */
export function contentIdOf(bytes: Uint8Array): string {
  return contentId(dagCbor.code, bytes);
}

/** The content id (CIDv1, raw, sha2-256) of plain bytes: what UnixFS gives a file of one block. */
export function rawContentIdOf(bytes: Uint8Array): string {
  return contentId(raw.code, bytes);
}

/** Both codes fit into one byte. */
function contentId(codec: number, bytes: Uint8Array): string {
  const digest = hash('sha256', bytes, 'buffer');
  return base32Of(Uint8Array.of(CID_V1, codec, SHA2_256, digest.length, ...digest));
}

/** Multibase `b`: base32 in lower case, without padding. */
function base32Of(bytes: Uint8Array): string {
  let text = 'b';
  let bits = 0;
  let left = 0;
  for (const byte of bytes) {
    left = ((left << 8) | byte) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) text += BASE32[(left >> (bits - 5)) & 0x1f] ?? '';
  }
  return bits === 0 ? text : text + (BASE32[(left << (5 - bits)) & 0x1f] ?? '');
}

/** True when `text` is a well-formed CIDv1. */
export function isContentId(text: string): boolean {
  if (USUAL_CONTENT_ID.test(text)) return true;
  if (text.length > LONGEST_CONTENT_ID) return false;
  try {
    return CID.parse(text).version === 1;
  } catch {
    return false;
  }
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) return false;
  return true;
}
