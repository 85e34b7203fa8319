import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { patient, systemClock, within } from '../../../src/lib/clock.ts';
import { FakeClock } from '../../simulation/fake-clock.ts';

const LIMIT_MS = 100;

function beBusy(forMs: number): void {
  const untilMs = performance.now() + forMs;
  while (performance.now() < untilMs);
}

it('hears of what was done while the process was busy', async () => {
  const read = readFile(new URL(import.meta.url));
  const outcome = within(patient(systemClock), LIMIT_MS, read, () => 'late');
  beBusy(3 * LIMIT_MS);
  expect(await outcome).not.toBe('late');
});

it('waits as long as the clock it is made of', async () => {
  const clock = new FakeClock();
  const fired: number[] = [];
  patient(clock).after(LIMIT_MS, () => fired.push(clock.monotonicMs()));
  const cancelled = patient(clock).after(LIMIT_MS, () => fired.push(-1));
  await clock.advanceBy(LIMIT_MS / 2);
  cancelled.cancel();
  await clock.advanceBy(LIMIT_MS);
  expect(fired).toEqual([LIMIT_MS]);
});
