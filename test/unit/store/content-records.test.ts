import { fc, it } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import type { ContentChange } from '../../../src/domain/program/stored-content.ts';
import type { LevelContentRecords } from '../../../src/store/content-records.ts';
import { MemoryDisk } from '../../simulation/memory-disk.ts';
import { openStore } from '../../../src/store/index.ts';
import { defaultStoreLimits } from '../../../src/store/options.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { ContentDisk } from '../fakes/content-disk.ts';
import { HurriedClock, seededRandom } from './clocks.ts';
import { anyChange, BLOCKS, bytesOf, OWNERS } from './content-changes.ts';
import * as make from './market-records.ts';

function stateOf(records: LevelContentRecords) {
  return {
    bytes: [records.bytes, records.inlineBytes],
    objects: [...records.objects()].sort((a, b) => (a.cid < b.cid ? -1 : 1)),
    pins: OWNERS.map((owner) => [...records.pinsOf(owner)].sort()),
    blocks: [...BLOCKS.keys()].map((cid) => [records.blockSize(cid), records.isInline(cid)]),
  };
}

describe('the records of content', () => {
  it.prop([fc.array(fc.record({ changes: fc.array(anyChange, { maxLength: 3 }), waits: fc.boolean() }))])(
    'are after a start what they were before it, also where changes met on their way',
    async (commits) => {
      const disk = new ContentDisk();
      const records = await disk.records();
      // Whoever drops an object sees to it that none of its blocks is being added elsewhere.
      const mayOverlap = commits.every(({ changes }) => changes.every(({ op }) => op !== 'drop'));
      const written: Promise<void>[] = [];
      for (const { changes, waits } of commits) {
        for (const part of mayOverlap ? [changes] : changes.map((change) => [change])) {
          written.push(records.commit(part));
          if (waits || !mayOverlap) await Promise.all(written);
        }
      }
      await Promise.all(written);
      const again = await disk.records();
      expect(stateOf(again)).toEqual(stateOf(records));
      const inline = new Set([...records.objects()].flatMap((object) => object.inline));
      expect([...(await disk.blocks()).keys()].sort()).toEqual([...inline].sort());
      for (const cid of inline) expect(await again.inlineBlock(cid)).toEqual(bytesOf(cid));
    },
  );

  it('give nothing before it is durable', async () => {
    const disk = new ContentDisk();
    const records = await disk.records();
    const written = records.commit(CONTENT('one'));
    expect([records.object('a'), records.blockSize('a'), records.isPinned('a')]).toEqual([
      undefined,
      undefined,
      false,
    ]);
    await written;
    expect([records.object('a')?.cid, records.blockSize('a'), records.isPinned('a')]).toEqual(['a', 1, true]);
  });

  it('forget an object that has lost a block, and have it again when it comes', async () => {
    const disk = new ContentDisk();
    await (await disk.records()).commit(CONTENT('one'));
    await disk.database.batch([{ type: 'del', key: 'content-block!a' }]);
    const records = await disk.records();
    await records.dropBroken();
    expect([records.object('a'), records.bytes, records.isPinned('a')]).toEqual([undefined, 0, false]);
    await records.commit(CONTENT('two'));
    await records.dropBroken();
    expect(await records.inlineBlock('a')).toEqual(bytesOf('a'));
    expect([records.object('a')?.cid, records.isPinned('a')]).toEqual(['a', true]);
  });

  it('let go of a pin that was still being written', async () => {
    const disk = new ContentDisk();
    const records = await disk.records();
    await Promise.all([records.commit(CONTENT('one')), records.commit([{ op: 'unpin', owner: 'one' }])]);
    expect(records.isPinned('a')).toBe(false);
    expect((await disk.records()).isPinned('a')).toBe(false);
  });
});

const CONTENT = (owner: string): readonly ContentChange[] => [
  {
    op: 'add',
    object: { cid: 'a', bytes: 1, isPublic: false, storedAt: 1, blocks: [['a', 1]], inline: ['a'] },
    bytes: new Map([['a', bytesOf('a')]]),
  },
  { op: 'pin', cid: 'a', owner },
];

describe('a job and the content that comes with it', () => {
  it.prop([fc.integer(), fc.integer({ min: 0, max: 5 })])(
    'are there together or not at all, whenever the node ends',
    async (seed, turns) => {
      const clock = new HurriedClock();
      const disk = new MemoryDisk({ clock, random: seededRandom(seed) }, { leastDelayMs: 1, mostDelayMs: 3 });
      const options = { folder: 'memory', contentFolder: 'memory', limits: defaultStoreLimits };
      const open = async () =>
        openStore(options, { clock, logger: silentLogger, database: await disk.open() });
      const first = await open();
      void first.jobs.commit({ ...make.created('one'), content: CONTENT('one') });
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      disk.crash();
      const second = await open();
      const isThere = (await second.jobs.snapshot('one')) !== undefined;
      expect([second.content.object('a') !== undefined, second.content.isPinned('a')]).toEqual([
        isThere,
        isThere,
      ]);
      expect(await second.content.inlineBlock('a')).toEqual(isThere ? bytesOf('a') : undefined);
      await second.stop();
    },
  );
});
