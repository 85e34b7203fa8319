import { silentLogger } from '../../../src/lib/logger.ts';
import { openStore, type Store } from '../../../src/store/index.ts';
import { MemoryDisk } from '../../simulation/memory-disk.ts';
import { defaultStoreLimits } from '../../../src/store/options.ts';
import type { FakeClock } from '../../simulation/fake-clock.ts';
import { SeededRandom } from '../../simulation/seeded-random.ts';

/** The production store on a disk in memory, with what fails or waits decided by the test. */
export interface TestStore {
  readonly disk: MemoryDisk;
  readonly store: Store;
}

export async function openTestStore(clock: FakeClock, disk = newDisk(clock)): Promise<TestStore> {
  const opening = (async () =>
    openStore(
      { folder: 'memory', contentFolder: 'memory', limits: defaultStoreLimits },
      { clock, logger: silentLogger, database: await disk.open() },
    ))();
  return { disk, store: await clock.runUntilSettled(opening, 10_000) };
}

export function newDisk(clock: FakeClock): MemoryDisk {
  return new MemoryDisk({ clock, random: new SeededRandom('disk') });
}
