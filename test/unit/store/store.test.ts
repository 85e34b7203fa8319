import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/lib/logger.ts';
import type { Database } from '../../../src/store/database.ts';
import { openStore, type Store } from '../../../src/store/index.ts';
import { MemoryDisk } from '../../simulation/memory-disk.ts';
import { defaultStoreLimits } from '../../../src/store/options.ts';
import { HurriedClock, seededRandom } from './clocks.ts';
import * as make from './market-records.ts';
import { levelFixture } from './store-fixtures.ts';

const options = { folder: 'memory', contentFolder: 'memory', limits: defaultStoreLimits };

function setUp(): {
  readonly disk: MemoryDisk;
  readonly open: () => Promise<Store>;
  readonly tamper: (act: (database: Database) => Promise<void>) => Promise<void>;
} {
  const clock = new HurriedClock();
  const disk = new MemoryDisk({ clock, random: seededRandom(1) });
  return {
    disk,
    open: async () => openStore(options, { clock, logger: silentLogger, database: await disk.open() }),
    tamper: async (act) => {
      const database = await disk.open();
      await act(database);
      await database.close();
    },
  };
}

async function bytesOf(database: Database, key: string): Promise<Uint8Array> {
  const bytes = await database.get(key);
  if (bytes === undefined) throw new Error(`${key} is not there`);
  return bytes;
}

describe('a store', () => {
  it('keeps small records of the node', async () => {
    const { open } = setUp();
    const store = await open();
    expect(await store.meta.get('replay')).toBeUndefined();
    await store.meta.put('replay', Uint8Array.of(1, 2));
    await expect(store.meta.put('replay', new Uint8Array(2 ** 20 + 1))).rejects.toMatchObject({
      code: 'META_TOO_LARGE',
    });
    await expect(store.meta.put('format', Uint8Array.of(9))).rejects.toMatchObject({
      code: 'META_NAME_TAKEN',
    });
    await store.stop();
    const again = await open();
    expect(await again.meta.get('replay')).toEqual(Uint8Array.of(1, 2));
    await again.stop();
  });

  it('writes what it took before it stops, and takes nothing more', async () => {
    const { open } = setUp();
    const store = await open();
    const late = store.meta.put('a', Uint8Array.of(1));
    await Promise.all([store.stop(), store.stop()]);
    await late;
    await expect(store.meta.put('b', Uint8Array.of(1))).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    await expect(store.jobs.commit(make.created('j'))).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    await expect(store.jobs.snapshot('j')).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    const again = await open();
    expect(await again.meta.get('a')).toEqual(Uint8Array.of(1));
    await again.stop();
  });

  it('lets one node at a time use a folder', async () => {
    const fixture = await levelFixture();
    const store = await fixture.open(defaultStoreLimits);
    await expect(fixture.open(defaultStoreLimits)).rejects.toMatchObject({
      code: 'DATABASE_LOCKED',
      message: expect.stringContaining('--data-dir'),
    });
    await store.meta.put('a', Uint8Array.of(1));
    await store.stop();
    await fixture.remove();
  });

  it('refuses a database of another format, and lets go of it', async () => {
    const { open, tamper } = setUp();
    await (await open()).stop();
    const format = (value: number) => async (database: Database) => {
      await database.batch([{ type: 'put', key: 'meta!format', value: Uint8Array.of(value) }]);
    };
    await tamper(format(200));
    await expect(open()).rejects.toMatchObject({
      code: 'DATABASE_NEWER',
      message: expect.stringMatching(/newer version of Bidmesh.*--data-dir/),
    });
    await tamper(format(0));
    await expect(open()).rejects.toMatchObject({ code: 'DATABASE_UNREADABLE' });
    await tamper(format(1));
    await (await open()).stop();
  });

  it.each([
    ['an unknown version', (bytes: Uint8Array) => Uint8Array.of(99, ...bytes.subarray(1))],
    ['no bytes', () => new Uint8Array()],
    ['cut off', (bytes: Uint8Array) => bytes.slice(0, -3)],
    ['something else', () => Uint8Array.of(1, 0x01)],
  ])('does not take a record for good that has %s', async (_what, damage) => {
    const { open, tamper } = setUp();
    const store = await open();
    await store.jobs.commit(make.created('j'));
    await store.stop();
    await tamper(async (database) => {
      const value = damage(await bytesOf(database, 'job!j'));
      await database.batch([{ type: 'put', key: 'job!j', value }]);
    });
    const again = await open();
    const unreadable = { code: 'RECORD_UNREADABLE', data: { bucket: 'job', key: 'j' } };
    await expect(again.jobs.snapshot('j')).rejects.toMatchObject(unreadable);
    await expect(again.jobs.commit({ jobId: 'j', revision: 1, events: [] })).rejects.toMatchObject(
      unreadable,
    );
    await again.jobs.commit(make.created('k'));
    await again.stop();
  });

  it('does not take the record of one thing for that of another', async () => {
    const { open, tamper } = setUp();
    const store = await open();
    await store.jobs.commit(make.created('j'));
    await store.jobs.commit(make.created('k'));
    await store.stop();
    await tamper(async (database) => {
      const value = await bytesOf(database, 'job!j');
      await database.batch([{ type: 'put', key: 'job!k', value }]);
    });
    const again = await open();
    await expect(again.jobs.snapshot('k')).rejects.toMatchObject({ code: 'RECORD_UNREADABLE' });
    expect(await again.jobs.snapshot('j')).toBeDefined();
    await again.stop();
  });
});
