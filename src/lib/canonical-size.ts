import { CID } from 'multiformats/cid';

const HEAD_STEPS: readonly (readonly [below: number, bytes: number])[] = [
  [24, 1],
  [2 ** 8, 2],
  [2 ** 16, 3],
  [2 ** 32, 5],
];
const LONGEST_HEAD = 9;
const FLOAT_BYTES = 9;
/** The tag of a link, and the zero that stands before its bytes. */
const LINK_TAG_BYTES = 3;

function headBytes(argument: number): number {
  return HEAD_STEPS.find(([below]) => argument < below)?.[1] ?? LONGEST_HEAD;
}

/**
 * Whether the canonical DAG-CBOR of a decoded value has at most `mostBytes`. Looks no further than that, so a value of
 * megabytes costs no more than one that fits; nothing is encoded for it.
 */
export function isWithinBytes(value: unknown, mostBytes: number): boolean {
  return bytesLeft(value, mostBytes) >= 0;
}

/** What of `left` remains when `value` is written; negative, and no exact number, when it does not fit. */
function bytesLeft(value: unknown, left: number): number {
  if (left <= 0) return -1;
  if (typeof value === 'string') return textLeft(value, left);
  if (typeof value === 'number' || typeof value === 'bigint') return left - numberBytes(value);
  if (typeof value !== 'object' || value === null) return left - 1;
  if (value instanceof Uint8Array) return left - headBytes(value.length) - value.length;
  if (Array.isArray(value)) return itemsLeft(value, left - headBytes(value.length));
  const link = CID.asCID(value);
  if (link !== null) return left - LINK_TAG_BYTES - headBytes(link.bytes.length + 1) - link.bytes.length;
  return entriesLeft(value, left);
}

function numberBytes(value: number | bigint): number {
  if (typeof value === 'bigint') return LONGEST_HEAD;
  if (!Number.isInteger(value)) return FLOAT_BYTES;
  return headBytes(value < 0 ? -1 - value : value);
}

/** No text takes fewer bytes than it has characters. */
function textLeft(text: string, left: number): number {
  if (text.length > left) return -1;
  const bytes = Buffer.byteLength(text);
  return left - headBytes(bytes) - bytes;
}

function itemsLeft(items: readonly unknown[], most: number): number {
  let left = most;
  for (const item of items) {
    left = bytesLeft(item, left);
    if (left < 0) break;
  }
  return left;
}

function entriesLeft(map: object, most: number): number {
  const entries = Object.entries(map);
  let left = most - headBytes(entries.length);
  for (const [key, value] of entries) {
    left = textLeft(key, left);
    if (left < 0) break;
    left = bytesLeft(value, left);
    if (left < 0) break;
  }
  return left;
}
