import { fc } from '@fast-check/vitest';
import type { ContentChange, StoredObject } from '../../../src/domain/program/stored-content.ts';

/** Blocks by their ids, each with its size; those of odd size are in the database. */
export const BLOCKS = new Map(['a', 'b', 'c', 'd', 'e'].map((cid, at) => [cid, at + 1] as const));
export const OWNERS = ['one', 'two'];

const anyBlock = fc.constantFrom(...BLOCKS.keys());
const anyOwner = fc.constantFrom(...OWNERS);

function isInline(cid: string): boolean {
  return (BLOCKS.get(cid) ?? 0) % 2 === 1;
}

export function bytesOf(cid: string): Uint8Array {
  return new Uint8Array(BLOCKS.get(cid) ?? 0).fill(cid.charCodeAt(0));
}

const anyObject: fc.Arbitrary<StoredObject> = fc
  .record({ root: anyBlock, below: fc.uniqueArray(anyBlock), isPublic: fc.boolean(), storedAt: fc.nat() })
  .map(({ root, below, ...rest }) => {
    const keys = [...new Set([root, ...below])];
    return {
      cid: root,
      bytes: keys.length,
      blocks: keys.map((key) => [key, BLOCKS.get(key) ?? 0] as const),
      inline: keys.filter(isInline),
      ...rest,
    };
  });

/** Objects with one root may differ here: the first of them counts. */
export const anyChange: fc.Arbitrary<ContentChange> = fc.oneof(
  anyObject.map((object) => ({
    op: 'add' as const,
    object,
    bytes: new Map(object.inline.map((cid) => [cid, bytesOf(cid)])),
  })),
  fc.record({ op: fc.constant('touch' as const), cid: anyBlock, storedAt: fc.nat() }),
  fc.record({ op: fc.constant('publish' as const), cid: anyBlock }),
  fc.record({ op: fc.constant('drop' as const), cid: anyBlock }),
  fc.record({ op: fc.constant('pin' as const), cid: anyBlock, owner: anyOwner }),
  fc.record({ op: fc.constant('unpin' as const), owner: anyOwner }),
);
