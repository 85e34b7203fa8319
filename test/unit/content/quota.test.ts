import { describe, expect, it } from 'vitest';
import { rawContentIdOf } from '../../../src/lib/canonical.ts';
import {
  blockCount,
  failure,
  fetchFrom,
  memoryNode,
  MIB,
  pattern,
  served,
  text,
} from './content-fixtures.ts';

describe('the quota of the store', () => {
  it('takes what fits to the last byte and nothing more', async () => {
    const { store, disk } = await memoryNode({ limits: { maxTotalBytes: 10 } });
    await store.put(text('1234567'));
    await store.put(text('890'));
    expect(await failure(store.put(text('x')))).toBe('QUOTA_EXCEEDED');
    expect(await blockCount(disk)).toBe(2);
  });

  it('counts a block once, however often it is put', async () => {
    const { store } = await memoryNode({ limits: { maxTotalBytes: 300 } });
    const { cid } = await store.put(text('x'.repeat(100)));
    for (const path of ['a', 'b']) {
      await store.importTree([{ path, source: { bytes: text('x'.repeat(100)) } }]);
    }
    expect((await store.put(text('x'.repeat(100)))).cid).toBe(cid);
  });

  it('counts what is under way, so that two that do not fit together do not both begin', async () => {
    const { store, disk } = await memoryNode({ limits: { maxTotalBytes: 3 * MIB } });
    const codes = await Promise.all([1, 2].map((seed) => failure(store.put(pattern(2 * MIB, seed)))));
    expect(codes.sort()).toContain('QUOTA_EXCEEDED');
    const left = await blockCount(disk);
    expect(left).toBe(codes.includes('none') ? 3 : 0);
  });

  it('gives back what a failed import had taken', async () => {
    const { store } = await memoryNode({ limits: { maxTotalBytes: 5 * MIB, maxObjectBytes: 4 * MIB } });
    for (let round = 0; round < 3; round += 1) {
      expect(await failure(store.put(pattern(4 * MIB + 1, round)))).toBe('CONTENT_TOO_LARGE');
    }
    expect(await failure(store.put(pattern(3 * MIB)))).toBe('none');
  });

  it('keeps a block that a failing import shares with one that goes well', async () => {
    const { store } = await memoryNode();
    const shared = pattern(MIB, 7);
    const failing = async function* (): AsyncGenerator<Uint8Array> {
      yield shared;
      yield pattern(MIB, 8);
      throw new Error('broken');
    };
    const [bad, good] = await Promise.allSettled([store.put(failing()), store.put(shared)]);
    expect(bad.status).toBe('rejected');
    expect(good).toMatchObject({ status: 'fulfilled' });
    expect(await served(store, rawContentIdOf(shared))).toHaveLength(1);
  });

  it('holds for what is fetched too', async () => {
    const giver = await memoryNode();
    const { cid } = await giver.store.put(pattern(3 * MIB));
    const blocks = await served(giver.store, cid);
    const small = await memoryNode({ limits: { maxTotalBytes: 2 * MIB } });
    small.transport.offer(blocks);
    expect(await failure(fetchFrom(small, cid))).toBe('QUOTA_EXCEEDED');
    const narrow = await memoryNode({ limits: { maxObjectBytes: 2 * MIB } });
    narrow.transport.offer(blocks);
    expect(await failure(fetchFrom(narrow, cid))).toBe('CONTENT_TOO_LARGE');
    expect([await blockCount(small.disk), await blockCount(narrow.disk)]).toEqual([0, 0]);
  });
});

describe('what one owner may keep', () => {
  it('is bounded in bytes', async () => {
    const { store } = await memoryNode({ limits: { maxOwnerBytes: 10 } });
    const a = await store.put(text('123456'));
    const b = await store.put(text('abcdef'));
    await store.pin(a.cid, 'job');
    await store.pin(a.cid, 'job');
    expect(await failure(store.pin(b.cid, 'job'))).toBe('QUOTA_EXCEEDED');
    await store.pin(b.cid, 'other');
    await store.unpin('job');
    expect(await failure(store.pin(b.cid, 'job'))).toBe('none');
  });

  it('is bounded when many are pinned at once', async () => {
    const { store } = await memoryNode({ limits: { maxPinsPerOwner: 2 } });
    const put = await Promise.all(['a', 'b', 'c'].map((value) => store.put(text(value))));
    const codes = await Promise.all(put.map(({ cid }) => failure(store.pin(cid, 'job'))));
    expect(codes.sort()).toEqual(['QUOTA_EXCEEDED', 'none', 'none']);
  });

  it('is only what is here', async () => {
    const { store } = await memoryNode();
    expect(await failure(store.pin(rawContentIdOf(text('absent')), 'job'))).toBe('CONTENT_UNAVAILABLE');
    expect(await failure(store.pin('nonsense', 'job'))).toBe('CONTENT_INVALID');
    expect(await failure(store.unpin('nobody'))).toBe('none');
  });
});

describe('a disk that refuses', () => {
  it.each([1, 3 * MIB])(
    'gives no id and leaves nothing when the record of %d bytes fails',
    async (length) => {
      const { store, disk } = await memoryNode();
      const write = disk.database.batch.bind(disk.database);
      disk.database.batch = () => Promise.reject(new Error('no space'));
      expect(await failure(store.put(pattern(length)))).toBe('STORE_FAILED');
      expect(await blockCount(disk)).toBe(0);
      disk.database.batch = write;
      // After a failed write nothing is known about the disk before the next start.
      expect(await failure(store.put(pattern(length)))).toBe('STORE_FAILED');
      const again = await memoryNode({ disk });
      expect(await failure(again.store.put(pattern(length)))).toBe('none');
    },
  );

  it('says that it is full, by the name of the setting', async () => {
    const { store, disk } = await memoryNode({ limits: { inlineObjectBytes: 0 } });
    disk.files.put = () => {
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    };
    await expect(store.put(text('a'))).rejects.toMatchObject({
      code: 'DISK_FULL',
      message: expect.stringContaining('dataDir'),
    });
  });

  it('is not filled: what the node needs for its records is left', async () => {
    let freeBytes: number | undefined = 8 * MIB + 10;
    const { store, disk, clock } = await memoryNode({ freeBytes: async () => freeBytes });
    await store.requireRoom();
    await store.put(text('1234567890'));
    expect(await failure(store.put(text('x')))).toBe('DISK_FULL');
    expect(await failure(store.put(text('1234567890')))).toBe('none');
    expect(await blockCount(disk)).toBe(1);
    freeBytes = undefined;
    await clock.advanceBy(500);
    expect(await failure(store.put(text('x')))).toBe('none');
    freeBytes = 0;
    await clock.advanceBy(500);
    expect(await failure(store.requireRoom())).toBe('DISK_FULL');
  });

  it('gives no id when a block fails', async () => {
    const { store, disk } = await memoryNode();
    const put = disk.files.put.bind(disk.files);
    disk.files.put = () => {
      throw new Error('no space');
    };
    expect(await failure(store.put(pattern(2 * MIB)))).toBe('STORE_FAILED');
    disk.files.put = put;
    expect(await failure(store.put(pattern(2 * MIB)))).toBe('none');
  });
});
