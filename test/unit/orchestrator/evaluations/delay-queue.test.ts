import { expect, it } from 'vitest';
import { DelayQueue } from '../../../../src/orchestrator/evaluations/delay-queue.ts';
import { FakeClock } from './fake-clock.ts';

it('gives back the room of items that are not live any more, long before they are due', () => {
  const clock = new FakeClock();
  const dead = new Set<number>();
  const due: number[] = [];
  let looks = 0;
  const queue = new DelayQueue<number>({
    clock,
    now: () => clock.monotonicMs(),
    isLive: (item) => {
      looks += 1;
      return !dead.has(item);
    },
    onDue: (items) => due.push(...items),
  });
  for (let item = 0; item < 1000; item += 1) queue.add(item, 5000 - item);
  for (let item = 0; item < 990; item += 1) {
    dead.add(item);
    queue.forgetOne();
  }
  looks = 0;
  clock.advance(5000);
  expect(due).toEqual([999, 998, 997, 996, 995, 994, 993, 992, 991, 990]);
  expect(looks, 'entries that were still in the heap').toBeLessThan(100);
  expect(clock.timers).toBe(0);
});

it('keeps the order of arrival among items that are due together', () => {
  const clock = new FakeClock();
  const batches: (readonly string[])[] = [];
  const queue = new DelayQueue<string>({
    clock,
    now: () => clock.monotonicMs(),
    isLive: () => true,
    onDue: (items) => batches.push(items),
  });
  for (const item of ['a', 'b', 'c', 'd', 'e', 'f']) queue.add(item, 70_000);
  queue.add('sooner', 69_999.5);
  clock.advance(70_000);
  expect(batches).toEqual([['sooner', 'a', 'b', 'c', 'd', 'e', 'f']]);
});
