import { fc, it } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import {
  decodeEntry,
  encodeEntry,
  Inventory,
  type InventoryEntry,
  type StoredObject,
} from '../../../src/content/inventory.ts';

const sizes = new Map(['a', 'b', 'c', 'd', 'e'].map((cid, at) => [cid, at + 1] as const));
const anyBlock = fc.constantFrom(...sizes.keys());
const anyObject: fc.Arbitrary<StoredObject> = fc
  .record({ root: anyBlock, below: fc.uniqueArray(anyBlock), isPublic: fc.boolean(), storedAt: fc.nat() })
  .map(({ root, below, ...rest }) => {
    const keys = [...new Set([root, ...below])];
    return {
      cid: root,
      bytes: keys.length,
      blocks: keys.map((key) => [key, sizes.get(key) ?? 0] as const),
      ...rest,
    };
  });
const anyOwner = fc.constantFrom('one', 'two');
const anyEntry: fc.Arbitrary<InventoryEntry> = fc.oneof(
  fc.record({ op: fc.constant('add' as const), object: anyObject }),
  fc.record({ op: fc.constant('touch' as const), cid: anyBlock, storedAt: fc.nat() }),
  fc.record({ op: fc.constant('publish' as const), cid: anyBlock }),
  fc.record({ op: fc.constant('drop' as const), cid: anyBlock }),
  fc.record({ op: fc.constant('pin' as const), cid: anyBlock, owner: anyOwner }),
  fc.record({ op: fc.constant('unpin' as const), owner: anyOwner }),
);

function filled(entries: readonly InventoryEntry[]): Inventory {
  const inventory = new Inventory();
  for (const entry of entries) inventory.apply(entry);
  return inventory;
}

function state(inventory: Inventory) {
  return {
    bytes: inventory.bytes,
    entryCount: inventory.entryCount,
    objects: [...inventory.objects()].sort((a, b) => (a.cid < b.cid ? -1 : 1)),
    blocks: [...inventory.blocks()].sort(),
    pins: ['one', 'two'].map((owner) => [...inventory.pinsOf(owner)].sort()),
    pinned: [...sizes.keys()].filter((cid) => inventory.isPinned(cid)),
  };
}

describe('the inventory', () => {
  it.prop([fc.array(anyEntry)])('counts each block of its objects once', (entries) => {
    const inventory = filled(entries);
    const blocks = new Map([...inventory.objects()].flatMap((object) => object.blocks));
    expect(inventory.bytes).toBe([...blocks.values()].reduce((sum, size) => sum + size, 0));
    expect([...inventory.blocks()].sort()).toEqual([...blocks.keys()].sort());
  });

  it.prop([fc.array(anyEntry)])('pins only what is there, for as long as an owner wants it', (entries) => {
    const { objects, pins, pinned } = state(filled(entries));
    const kept = new Set(pins.flat());
    expect(pinned).toEqual([...kept].sort());
    expect(objects.map(({ cid }) => cid)).toEqual(expect.arrayContaining(pinned));
  });

  it.prop([fc.array(anyEntry)])('comes about again from its own entries, through text', (entries) => {
    const inventory = filled(entries);
    const again = inventory.entries().map((entry) => decodeEntry(encodeEntry(entry)));
    expect(again).not.toContain(undefined);
    expect(state(filled(again.flatMap((entry) => entry ?? [])))).toEqual(state(inventory));
    expect(inventory.entries()).toHaveLength(inventory.entryCount);
  });

  it('knows no line of another version', () => {
    expect(decodeEntry('{"op":"rename","cid":"a"}')).toBeUndefined();
    expect(decodeEntry('{"op":"add","object":{"cid":"a"}}')).toBeUndefined();
  });
});
