import * as dagCbor from '@ipld/dag-cbor';
import { sha256 } from '@noble/hashes/sha2.js';
import { CID } from 'multiformats/cid';
import * as raw from 'multiformats/codecs/raw';
import { create as createDigest } from 'multiformats/hashes/digest';
import { isPlainCanonical } from './canonical-form.ts';
import { CodedError } from './coded-error.ts';

const SHA2_256 = 0x12;

/** The one byte form of a value: deterministic DAG-CBOR. Throws on `undefined`, NaN, dates and class instances. */
export function encodeCanonical(value: unknown): Uint8Array {
  // The encoder hands out views of a pooled buffer for small values; what is kept or signed must own its bytes.
  return new Uint8Array(dagCbor.encode(value));
}

/**
 * The value of canonical bytes. Throws `NOT_CANONICAL` unless encoding the value gives these very bytes back:
 * the decoder alone lets unsorted keys and short floats pass.
 */
export function decodeCanonical(bytes: Uint8Array): unknown {
  let value: unknown;
  try {
    value = dagCbor.decode(bytes);
    // Most messages show their form in the bytes; encoding again costs three times as much as looking.
    if (isPlainCanonical(bytes) || sameBytes(dagCbor.encode(value), bytes)) return value;
  } catch (cause) {
    throw new CodedError('NOT_CANONICAL', 'The bytes are not DAG-CBOR.', { cause });
  }
  throw new CodedError('NOT_CANONICAL', 'The bytes are not in canonical DAG-CBOR form.');
}

/** The content id (CIDv1, dag-cbor, sha2-256) of canonical bytes. */
export function contentIdOf(bytes: Uint8Array): string {
  return CID.createV1(dagCbor.code, createDigest(SHA2_256, sha256(bytes))).toString();
}

/** The content id (CIDv1, raw, sha2-256) of plain bytes: what UnixFS gives a file of one block. */
export function rawContentIdOf(bytes: Uint8Array): string {
  return CID.createV1(raw.code, createDigest(SHA2_256, sha256(bytes))).toString();
}

/** True when `text` is a well-formed CIDv1. */
export function isContentId(text: string): boolean {
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
