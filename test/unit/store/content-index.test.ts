import { fc, it } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import type { ContentChange } from '../../../src/domain/program/stored-content.ts';
import { ContentIndex } from '../../../src/store/content-index.ts';
import { anyChange, BLOCKS, OWNERS } from './content-changes.ts';

function filled(changes: readonly ContentChange[]): ContentIndex {
  const index = new ContentIndex();
  for (const change of changes) index.apply(change);
  return index;
}

describe('the index of content', () => {
  it.prop([fc.array(anyChange)])('counts each block of its objects once, wherever it is', (changes) => {
    const index = filled(changes);
    const blocks = new Map([...index.objects()].flatMap((object) => object.blocks));
    const inline = new Set([...index.objects()].flatMap((object) => object.inline));
    const sum = (keys: Iterable<string>): number =>
      [...keys].reduce((bytes, key) => bytes + (blocks.get(key) ?? 0), 0);
    expect([index.bytes, index.inlineBytes]).toEqual([sum(blocks.keys()), sum(inline)]);
    for (const cid of BLOCKS.keys()) {
      expect([index.blockSize(cid), index.isInline(cid)]).toEqual([blocks.get(cid), inline.has(cid)]);
    }
  });

  it.prop([fc.array(anyChange)])('pins only what is there, for as long as an owner wants it', (changes) => {
    const index = filled(changes);
    const kept = new Set(OWNERS.flatMap((owner) => [...index.pinsOf(owner)]));
    for (const cid of BLOCKS.keys()) {
      expect(index.isPinned(cid)).toBe(kept.has(cid));
      expect(index.ownersOf(cid).toSorted()).toEqual(OWNERS.filter((owner) => index.pinsOf(owner).has(cid)));
      if (kept.has(cid)) expect(index.object(cid)).toBeDefined();
    }
  });
});
