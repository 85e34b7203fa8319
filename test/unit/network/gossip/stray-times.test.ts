import { expect, it } from 'vitest';
import { type Logger, silentLogger } from '../../../../src/lib/logger.ts';
import { StrayTimes } from '../../../../src/network/gossip/stray-times.ts';
import { FakeClock } from '../../../simulation/fake-clock.ts';

function scene(): { clock: FakeClock; strays: StrayTimes; warnings: string[] } {
  const clock = new FakeClock();
  const warnings: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (message) => void warnings.push(message) };
  return { clock, strays: new StrayTimes(clock, logger), warnings };
}

it('says once in a while that a clock is wrong when many messages are refused for their time', async () => {
  const { clock, strays, warnings } = scene();
  for (let count = 0; count < 100; count += 1) {
    strays.refused();
    await clock.advanceBy(1000);
  }
  expect(warnings).toEqual([expect.stringContaining('Set the clock')]);
  await clock.advanceBy(10 * 60_000);
  for (let count = 0; count < 3; count += 1) strays.refused();
  expect(warnings).toHaveLength(2);
});

it('makes nothing of a few that are spread out', async () => {
  const { clock, strays, warnings } = scene();
  for (let count = 0; count < 20; count += 1) {
    strays.refused();
    await clock.advanceBy(30_000);
  }
  expect(warnings).toEqual([]);
});
