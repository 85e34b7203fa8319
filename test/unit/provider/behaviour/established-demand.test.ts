import { beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../../src/lib/logger.ts';
import { EstablishedDemand } from '../../../../src/provider/behaviour/established-demand.ts';
import { FakeClock } from '../../../simulation/fake-clock.ts';

const LIMITS = { activeMs: 3_600_000, writeDelayMs: 2000 };

let clock: FakeClock;
let disk: Map<string, Uint8Array>;
let writes: number;

function another(): EstablishedDemand {
  const notes = {
    get: async (name: string) => disk.get(name),
    put: async (name: string, value: Uint8Array) => {
      writes += 1;
      disk.set(name, value);
    },
  };
  return new EstablishedDemand(LIMITS, { clock, logger: silentLogger, notes });
}

beforeEach(() => {
  clock = new FakeClock();
  disk = new Map();
  writes = 0;
});

describe('regulars that ask', () => {
  it('keep a share for an hour, each time anew', async () => {
    const establishedDemand = another();
    await establishedDemand.start();
    expect(establishedDemand.isActive).toBe(false);
    establishedDemand.asked();
    await clock.advanceBy(LIMITS.activeMs - 1);
    expect(establishedDemand.isActive).toBe(true);
    establishedDemand.asked();
    await clock.advanceBy(LIMITS.activeMs - 1);
    expect(establishedDemand.isActive).toBe(true);
    await clock.advanceBy(1);
    expect(establishedDemand.isActive).toBe(false);
  });

  it('are remembered over a crash, and written down no more than once a minute', async () => {
    const establishedDemand = another();
    for (let second = 0; second < 120; second += 1) {
      establishedDemand.asked();
      await clock.advanceBy(1000);
    }
    expect(writes).toBe(2);
    const next = another();
    await next.start();
    expect(next.isActive).toBe(true);
    await clock.advanceBy(LIMITS.activeMs);
    expect(next.isActive).toBe(false);
  });

  it('are forgotten where the record cannot be read', async () => {
    disk.set('regulars-asked', Uint8Array.of(255));
    const establishedDemand = another();
    await establishedDemand.start();
    expect(establishedDemand.isActive).toBe(false);
  });
});
