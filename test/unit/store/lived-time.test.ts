import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/lib/clock.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { openStore, type Store } from '../../../src/store/index.ts';
import type { Operation } from '../../../src/store/database.ts';
import { MemoryDisk } from '../../simulation/memory-disk.ts';
import { defaultStoreLimits } from '../../../src/store/options.ts';
import { FakeClock, type Incarnation } from '../../simulation/fake-clock.ts';
import { SeededRandom } from '../../simulation/seeded-random.ts';
import { created } from './market-records.ts';

const HOUR_MS = 3_600_000;
const DISK_MS = 100;
const { livedEveryMs } = defaultStoreLimits;

let time: FakeClock;
let wall: { offsetMs: number };
let disk: MemoryDisk;
let life: Incarnation;
let store: Store;

async function start(): Promise<void> {
  life = time.incarnation(wall);
  const opening = (async () =>
    openStore(
      { folder: 'memory', contentFolder: 'memory', limits: defaultStoreLimits },
      { clock: life.clock, logger: silentLogger, database: await disk.open() },
    ))();
  store = await time.runUntilSettled(opening, 1000);
}

function crash(): void {
  life.end();
  disk.crash();
}

function lived(): Clock {
  return store.clock;
}

beforeEach(async () => {
  time = new FakeClock();
  wall = { offsetMs: 0 };
  disk = new MemoryDisk({ clock: time, random: new SeededRandom('lived') });
  await start();
});

afterEach(async () => {
  await time.runUntilSettled(store.stop(), 1000);
});

describe('lived time', () => {
  it('begins at the wall time of the first start', () => {
    expect(Math.abs(lived().livedMs() - time.nowMs())).toBeLessThan(DISK_MS);
  });

  it.each([HOUR_MS, -HOUR_MS, 30 * 24 * HOUR_MS])(
    'does not jump with the wall clock: %i ms',
    async (byMs) => {
      const before = lived().livedMs();
      wall.offsetMs = byMs;
      await time.advanceBy(1000);
      expect(lived().livedMs() - before).toBe(1000);
    },
  );

  it('goes on where it was when the node stopped', async () => {
    await time.advanceBy(5000);
    const before = lived().livedMs();
    await time.runUntilSettled(store.stop(), 1000);
    await time.advanceBy(HOUR_MS);
    wall.offsetMs = -5 * HOUR_MS;
    await start();
    expect(lived().livedMs() - before).toBeGreaterThanOrEqual(0);
    expect(lived().livedMs() - before).toBeLessThan(DISK_MS);
  });

  it('is as young as the newest record after a crash', async () => {
    await time.advanceBy(10_000);
    const before = lived().livedMs();
    await time.runUntilSettled(store.meta.put('draining', Uint8Array.of(1)), 1000);
    crash();
    await time.advanceBy(HOUR_MS);
    await start();
    expect(lived().livedMs()).toBeGreaterThanOrEqual(before);
    expect(lived().livedMs() - before).toBeLessThan(2 * DISK_MS);
  });

  it('loses no more than the interval when an idle node crashes', async () => {
    await time.advanceBy(20 * livedEveryMs);
    const before = lived().livedMs();
    crash();
    await start();
    expect(lived().livedMs()).toBeGreaterThanOrEqual(before - livedEveryMs - DISK_MS);
    expect(lived().livedMs()).toBeLessThanOrEqual(before + DISK_MS);
  });
});

describe('a store of before there was lived time', () => {
  async function change(operations: readonly Operation[]): Promise<void> {
    await time.runUntilSettled(store.stop(), 1000);
    const database = await time.runUntilSettled(disk.open(), 1000);
    await time.runUntilSettled(database.batch(operations), 1000);
    await time.runUntilSettled(database.close(), 1000);
  }
  const WITHOUT: readonly Operation[] = [
    { type: 'del', key: 'clock!lived' },
    { type: 'del', key: 'clock!calendar' },
  ];

  it('begins at the wall time of its next start', async () => {
    await change(WITHOUT);
    await time.advanceBy(HOUR_MS);
    await start();
    expect(Math.abs(lived().livedMs() - time.nowMs())).toBeLessThan(DISK_MS);
  });

  it('begins behind its newest record, should the clock have run ahead then', async () => {
    const aheadMs = time.nowMs() + HOUR_MS;
    const posted = created('job-1', { createdAt: aheadMs });
    const events = [{ type: 'job.posted' as const, at: aheadMs + 5000 }];
    await time.runUntilSettled(store.jobs.commit({ ...posted, events }), 1000);
    await change(WITHOUT);
    await start();
    expect(lived().livedMs()).toBeGreaterThanOrEqual(aheadMs + 5000);
    expect(lived().livedMs()).toBeLessThan(aheadMs + 5000 + DISK_MS);
    expect(apart(store.calendar.isoTime(lived().livedMs()), time.nowMs())).toBeLessThan(DISK_MS);
  });

  it('starts with a record of its time that is damaged, behind what it knows else', async () => {
    wall.offsetMs = -HOUR_MS;
    await time.advanceBy(livedEveryMs);
    const before = lived().livedMs();
    await change([{ type: 'put', key: 'clock!lived', value: Uint8Array.of(1, 2, 3) }]);
    await start();
    expect(lived().livedMs()).toBeGreaterThanOrEqual(before - livedEveryMs);
    await change([{ type: 'put', key: 'clock!calendar', value: Uint8Array.of(9) }]);
    const after = time.nowMs();
    await start();
    expect(apart(store.calendar.isoTime(lived().livedMs()), after - HOUR_MS)).toBeLessThan(DISK_MS);
  });
});

describe('what people see of it', () => {
  it('shows what happened before a stop, and after it, by the clock of that time', async () => {
    const before = lived().livedMs();
    const wallBefore = time.nowMs();
    await time.advanceBy(1000);
    await time.runUntilSettled(store.stop(), 1000);
    await time.advanceBy(HOUR_MS);
    await start();
    expect(apart(store.calendar.isoTime(before), wallBefore)).toBeLessThan(DISK_MS);
    expect(apart(store.calendar.isoTime(lived().livedMs()), time.nowMs())).toBeLessThan(DISK_MS);
  });

  it('goes with a wall clock that is set while the node runs', async () => {
    const before = lived().livedMs();
    const wallBefore = time.nowMs();
    await time.advanceBy(1000);
    wall.offsetMs = 2 * HOUR_MS;
    await time.advanceBy(livedEveryMs);
    const shown = store.calendar.isoTime(lived().livedMs());
    expect(apart(shown, life.clock.nowMs())).toBeLessThan(DISK_MS);
    expect(apart(store.calendar.isoTime(before), wallBefore)).toBeLessThan(DISK_MS);
  });
});

function apart(shown: string, wallMs: number): number {
  return Math.abs(Date.parse(shown) - wallMs);
}
