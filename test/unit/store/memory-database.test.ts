import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Database, Operation } from '../../../src/store/database.ts';
import { MemoryDisk } from '../../simulation/memory-disk.ts';
import { databaseSuite } from '../../suites/database.suite.ts';
import { HurriedClock, ManualClock, seededRandom, turn } from './clocks.ts';

databaseSuite('the memory disk', async () => {
  const disk = new MemoryDisk({ clock: new HurriedClock(), random: seededRandom(1) });
  return { open: () => disk.open(), remove: async () => {} };
});

const put = (key: string): Operation => ({ type: 'put', key, value: Uint8Array.of(1) });

function setUp(seed: number): { readonly clock: ManualClock; readonly disk: MemoryDisk } {
  const clock = new ManualClock();
  const disk = new MemoryDisk({ clock, random: seededRandom(seed) }, { leastDelayMs: 1, mostDelayMs: 5 });
  return { clock, disk };
}

async function keysOf(database: Database): Promise<string[]> {
  const keys: string[] = [];
  for await (const [key] of database.range({ gte: '', lt: '~' })) keys.push(key);
  return keys;
}

describe('a memory disk', () => {
  it('shows a batch only when it is durable', async () => {
    const { clock, disk } = setUp(1);
    const database = await disk.open();
    const written = database.batch([put('a')]);
    await turn();
    expect(await database.get('a')).toBeUndefined();
    await clock.settle(written);
    expect(await database.get('a')).toBeDefined();
  });

  it('keeps the oldest unfinished batches of a crash, each whole or not at all', async () => {
    const kept = new Set<number>();
    for (let seed = 0; seed < 40; seed += 1) {
      const { clock, disk } = setUp(seed);
      const first = await disk.open();
      await clock.settle(first.batch([put('0a'), put('0b')]));
      for (const name of ['1', '2', '3']) void first.batch([put(`${name}a`), put(`${name}b`)]);
      disk.crash();
      const keys = await keysOf(await disk.open());
      const whole = ['0a', '0b', '1a', '1b', '2a', '2b', '3a', '3b'].slice(0, keys.length);
      expect(keys).toEqual(whole);
      expect(keys.length % 2).toBe(0);
      kept.add(keys.length);
    }
    expect(kept).toEqual(new Set([2, 4, 6, 8]));
  });

  it('never settles what a crashed incarnation waits for', async () => {
    const { clock, disk } = setUp(3);
    const crashed = await disk.open();
    let settled = 0;
    const watch = (promise: Promise<unknown>): void => {
      const mark = (): void => {
        settled += 1;
      };
      promise.then(mark, mark);
    };
    watch(crashed.batch([put('a')]));
    disk.crash();
    watch(crashed.get('a'));
    watch(crashed.batch([put('b')]));
    watch(keysOf(crashed));
    watch(crashed.close());
    const next = await disk.open();
    await clock.advance(1000);
    expect(settled).toBe(0);
    expect(await next.get('b')).toBeUndefined();
  });

  it('gives one history for one seed', async () => {
    const history = async (seed: number, batches: number): Promise<string> => {
      const { clock, disk } = setUp(seed);
      const database = await disk.open();
      const log: string[] = [];
      for (let index = 0; index < batches; index += 1) {
        void database.batch([put(`k${index}`)]).then(() => log.push(`${index}@${clock.monotonicMs()}`));
      }
      await clock.advance(batches * 2);
      disk.crash();
      return [...log, ...(await keysOf(await disk.open()))].join(' ');
    };
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.integer({ min: 0, max: 9 }), async (seed, batches) => {
        expect(await history(seed, batches)).toBe(await history(seed, batches));
      }),
      { numRuns: 20, seed: 7 },
    );
  });

  it('fails every batch while it is full, and only opening again shows what became of them', async () => {
    const found = new Set<number>();
    for (let seed = 0; seed < 20; seed += 1) {
      const { clock, disk } = setUp(seed);
      const database = await disk.open();
      const begun = database.batch([put('a'), put('b')]);
      disk.failWrites();
      await expect(clock.settle(begun)).rejects.toMatchObject({ code: 'STORE_FAILED' });
      expect(await keysOf(database)).toEqual([]);
      await database.close();
      disk.repair();
      found.add((await keysOf(await disk.open())).length);
    }
    expect(found).toEqual(new Set([0, 2]));
  });

  it('cannot be opened while it is damaged', async () => {
    const { disk } = setUp(1);
    await (await disk.open()).close();
    disk.damage();
    await expect(disk.open()).rejects.toMatchObject({ code: 'DATABASE_UNREADABLE' });
    disk.repair();
    await (await disk.open()).close();
  });
});
