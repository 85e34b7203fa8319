import type { EvidenceType } from '../domain/market/evidence.ts';
import { isWithinBytes } from '../lib/canonical-size.ts';

/** Of the canonical bytes of an `ext`: in what everybody hands on, and in what goes to one peer. */
const MOST_GOSSIPED_EXT_BYTES = 512;
const MOST_EXT_BYTES = 4 * 1024;

const GOSSIPED: ReadonlySet<EvidenceType> = new Set(['bid-request', 'search-closed', 'advert']);

export function mostExtBytes(type: EvidenceType): number {
  return GOSSIPED.has(type) ? MOST_GOSSIPED_EXT_BYTES : MOST_EXT_BYTES;
}

function isMap(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * What is wrong with the `ext` of a message, whatever it says: it is for those who know its keys, stays under the
 * signature and is otherwise passed over. Undefined where there is none, or nothing wrong with it.
 */
export function extFault(type: EvidenceType, value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('ext' in value)) return undefined;
  const { ext } = value;
  if (!isMap(ext)) return 'ext is no map';
  if (Object.keys(ext).length === 0) return 'ext is empty: it is left out then';
  const most = mostExtBytes(type);
  return isWithinBytes(ext, most) ? undefined : `ext has more than ${most} bytes`;
}
