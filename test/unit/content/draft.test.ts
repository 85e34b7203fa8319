import { describe, expect, it } from 'vitest';
import { createContentStore } from '../../../src/content/index.ts';
import type { ContentLimits } from '../../../src/content/options.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { openStore } from '../../../src/store/index.ts';
import { defaultStoreLimits } from '../../../src/store/options.ts';
import { FakeClock } from '../../simulation/fake-clock.ts';
import { ContentDisk } from '../fakes/content-disk.ts';
import * as make from '../store/market-records.ts';
import { failure, MIB, pattern, readBack, ScriptedTransport, text } from './content-fixtures.ts';

/** A store and its content on one disk. */
async function scene(limits: Partial<ContentLimits> = {}, disk = new ContentDisk()) {
  const clock = new FakeClock();
  const store = await openStore(
    { folder: 'memory', contentFolder: 'memory', limits: defaultStoreLimits },
    { clock, logger: silentLogger, database: disk.database },
  );
  const content = createContentStore(
    { limits },
    {
      records: store.content,
      files: disk.files,
      transport: new ScriptedTransport(),
      clock,
      logger: silentLogger,
    },
  );
  await content.start();
  return { disk, clock, store, content };
}

describe('content that comes with a job', () => {
  it('is durable with it, in one batch', async () => {
    const { disk, store, content } = await scene();
    const uploaded = await content.put(text('uploaded'));
    const write = disk.database.batch.bind(disk.database);
    let batches = 0;
    disk.database.batch = (operations) => {
      batches += 1;
      return write(operations);
    };
    const draft = content.draft();
    const program = await draft.put(text('a program'));
    const input = await draft.put(text('its input'));
    expect(await draft.sizeOf(uploaded.cid)).toBe(8);
    expect([batches, await content.sizeOf(program.cid)]).toEqual([0, undefined]);
    await store.jobs.commit({ ...make.created('job'), content: draft.changes('job') });
    await draft.end();
    expect(batches).toBe(1);
    expect(await readBack(content, program.cid)).toEqual(text('a program'));
    expect(new Set(store.content.pinsOf('job'))).toEqual(new Set([program.cid, input.cid, uploaded.cid]));
    expect(disk.files.ids()).toEqual([]);
  });

  it.each([10, 2 * MIB])('of %d bytes leaves nothing where the job is not stored', async (length) => {
    const { disk, content } = await scene({ maxTotalBytes: 3 * MIB });
    for (let round = 0; round < 3; round += 1) {
      const draft = content.draft();
      const { cid } = await draft.put(pattern(length));
      expect(draft.changes('job')).toHaveLength(2);
      await draft.end();
      expect([await content.sizeOf(cid), (await disk.blocks()).size]).toEqual([undefined, 0]);
    }
    expect(content.room().freeBytes).toBe(3 * MIB);
  });

  it('is a file where it is large, which is there before the batch', async () => {
    const { disk, store, content } = await scene();
    const draft = content.draft();
    const { cid } = await draft.put(pattern(MIB));
    expect(disk.files.ids()).toEqual([cid]);
    await store.jobs.commit({ ...make.created('job'), content: draft.changes('job') });
    await draft.end();
    expect(await readBack(content, cid)).toEqual(pattern(MIB));
    const again = await scene({}, disk);
    expect(await again.content.sizeOf(cid)).toBe(MIB);
    expect(again.store.content.isPinned(cid)).toBe(true);
  });

  it('may be the same in two jobs at once, of which one is not stored', async () => {
    const { store, content } = await scene();
    const [first, second, third] = [content.draft(), content.draft(), content.draft()];
    const drafts = [first, second, third];
    const ids = await Promise.all(drafts.map((draft) => draft.put(text('program'))));
    const cid = ids[0]?.cid ?? '';
    await first.end();
    const commits = [
      store.jobs.commit({ ...make.created('two'), content: second.changes('two') }),
      store.jobs.commit({ ...make.created('three'), content: third.changes('three') }),
    ];
    await Promise.all(commits);
    await Promise.all([second.end(), third.end()]);
    expect([store.content.pinsOf('two').has(cid), store.content.pinsOf('three').has(cid)]).toEqual([
      true,
      true,
    ]);
    expect([await readBack(content, cid), store.content.bytes]).toEqual([text('program'), 7]);
  });

  it('stays while the job is on its way, however old it is', async () => {
    const { clock, content } = await scene({ collectAfterMs: 1000, collectEveryMs: 100 });
    const { cid } = await content.put(text('uploaded'));
    const draft = content.draft();
    expect(await draft.sizeOf(cid)).toBe(8);
    await clock.advanceBy(5000);
    expect(await content.sizeOf(cid)).toBe(8);
    await draft.end();
    await clock.advanceBy(5000);
    expect(await content.sizeOf(cid)).toBeUndefined();
    expect(await content.draft().sizeOf(cid)).toBeUndefined();
    expect(await content.draft().sizeOf('nonsense')).toBeUndefined();
  });

  it('is kept as far as one owner may keep it', async () => {
    const { store, content } = await scene({ maxOwnerBytes: 10 });
    const draft = content.draft();
    const kept = await draft.put(text('12345678'));
    const tooMuch = await draft.put(text('abcdefgh'));
    await store.jobs.commit({ ...make.created('job'), content: draft.changes('job') });
    await draft.end();
    expect([...store.content.pinsOf('job')]).toEqual([kept.cid]);
    expect(await content.sizeOf(tooMuch.cid)).toBe(8);
  });

  it('is refused where there is no room for it, with nothing written', async () => {
    const { disk, content } = await scene({ maxTotalBytes: 10 });
    const draft = content.draft();
    await draft.put(text('1234567'));
    expect(await failure(draft.put(text('abcdefgh')))).toBe('QUOTA_EXCEEDED');
    await draft.end();
    expect([(await disk.blocks()).size, content.room().freeBytes]).toEqual([0, 10]);
  });

  it('is a file where the database has no more room for small content', async () => {
    const { disk, content } = await scene({ inlineTotalBytes: 10 });
    const first = await content.put(text('12345678'));
    const second = await content.put(text('abcdefgh'));
    expect(disk.files.ids()).toEqual([second.cid]);
    expect(await readBack(content, first.cid)).toEqual(text('12345678'));
    expect(await readBack(content, second.cid)).toEqual(text('abcdefgh'));
  });
});
