import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../../src/lib/logger.ts';
import { openStore } from '../../../src/store/index.ts';
import { MemoryDisk } from '../../simulation/memory-disk.ts';
import type { StoreFixture } from '../../suites/job-store.suite.ts';
import { HurriedClock, seededRandom } from './clocks.ts';

/** A store in a folder of its own. */
export async function levelFixture(): Promise<StoreFixture> {
  const clock = new HurriedClock();
  const folder = await mkdtemp(join(tmpdir(), 'bidmesh-store-'));
  return {
    open: (limits) => openStore({ folder, contentFolder: folder, limits }, { clock, logger: silentLogger }),
    setNow: (wallMs) => {
      clock.now = wallMs;
    },
    remove: () => rm(folder, { recursive: true }),
  };
}

/** A store in memory. */
export async function memoryFixture(): Promise<StoreFixture> {
  const clock = new HurriedClock();
  const disk = new MemoryDisk({ clock, random: seededRandom(1) });
  return {
    open: async (limits) =>
      openStore(
        { folder: 'memory', contentFolder: 'memory', limits },
        { clock, logger: silentLogger, database: await disk.open() },
      ),
    setNow: (wallMs) => {
      clock.now = wallMs;
    },
    remove: async () => {},
  };
}
