import { createHash } from 'node:crypto';
import * as dagPb from '@ipld/dag-pb';
import { CID } from 'multiformats/cid';
import * as raw from 'multiformats/codecs/raw';
import { create as createDigest } from 'multiformats/hashes/digest';
import { CodedError } from '../lib/coded-error.ts';

/** A leaf and the list of a folder alike; what is larger is no block of this network. */
export const MAX_BLOCK_BYTES = 1024 * 1024;

/** In the longest base there is. What is longer costs its square to decode in some of the bases. */
const LONGEST_CONTENT_ID = 128;
const SHA2_256 = 0x12;
const SHA2_256_BYTES = 32;

export function invalidContent(message: string, cause?: unknown): CodedError {
  return new CodedError('CONTENT_INVALID', message, cause === undefined ? {} : { cause });
}

/** CIDv1 of a raw leaf or a UnixFS node with a SHA2-256 digest: all that this network stores. */
export function isStorable(cid: CID): boolean {
  const { code, digest } = cid.multihash;
  return (
    cid.version === 1 &&
    (cid.code === raw.code || cid.code === dagPb.code) &&
    code === SHA2_256 &&
    digest.length === SHA2_256_BYTES
  );
}

export function parseContentId(text: string): CID | undefined {
  if (text.length > LONGEST_CONTENT_ID) return undefined;
  try {
    const cid: CID = CID.parse(text);
    return isStorable(cid) ? cid : undefined;
  } catch {
    return undefined;
  }
}

/** Throws `CONTENT_INVALID` for a text that is no content id of this network. */
export function requireContentId(text: string): CID {
  const cid = parseContentId(text);
  if (cid === undefined) {
    throw invalidContent('The content id is not a CIDv1 of a raw or UnixFS block with a SHA2-256 digest.');
  }
  return cid;
}

export function isLeaf(cid: CID): boolean {
  return cid.code === raw.code;
}

/** The id of a UnixFS node. */
export function nodeIdOf(block: Uint8Array): CID {
  return idOf(dagPb.code, block);
}

/** The id of a leaf, and of a file of at most one block. */
export function leafIdOf(block: Uint8Array): CID {
  return idOf(raw.code, block);
}

function idOf(codec: number, block: Uint8Array): CID {
  const digest = new Uint8Array(createHash('sha256').update(block).digest());
  return CID.createV1(codec, createDigest(SHA2_256, digest));
}

export function isBlockOf(cid: CID, block: Uint8Array): boolean {
  return createHash('sha256').update(block).digest().equals(cid.multihash.digest);
}
