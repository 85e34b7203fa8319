import { beforeEach, describe, expect, it } from 'vitest';
import type { ServingAnswer, ServingItem, ServingList } from '../../../../src/domain/market/serving.ts';
import { silentLogger } from '../../../../src/lib/logger.ts';
import { MOST_ITEMS, Reporter } from '../../../../src/provider/executions/reporter.ts';
import { FakeClock } from '../../../simulation/fake-clock.ts';
import { itemOf, notaryOf } from '../../fakes/market.ts';

const PERIOD_MS = 1000;
const LONGEST_MS = 5000;

let clock: FakeClock;
let items: ServingItem[];
let lists: { readonly requester: string; readonly list: ServingList; readonly atMs: number }[];
let wishes: string[];
let heard: string[];
let report: (list: ServingList) => Promise<ServingAnswer>;
let reporter: Reporter;

beforeEach(() => {
  clock = new FakeClock();
  items = [itemOf('Running')];
  lists = [];
  wishes = [];
  heard = [];
  report = async ({ number }) => ({ number, desired: [] });
  reporter = new Reporter(
    { periodMs: PERIOD_MS, longestMs: LONGEST_MS },
    {
      clock,
      chance: () => 0,
      logger: silentLogger,
      notary: notaryOf('provider'),
      link: {
        report: (requester, _record, { value }) => {
          lists.push({ requester, list: value, atMs: clock.monotonicMs() });
          return report(value);
        },
      },
      servedTo: () => ({ record: Uint8Array.of(1), items }),
      onDesired: (requester, executionId, attempt, desired) =>
        wishes.push(`${requester} ${executionId} ${attempt} ${desired}`),
      onHeard: (requester) => heard.push(requester),
    },
  );
});

describe('the reporter', () => {
  it('sends at once, then at an interval, with growing numbers', async () => {
    reporter.changed('r');
    await clock.advanceBy(2 * PERIOD_MS);
    expect(lists.map(({ list, atMs }) => [list.number, atMs])).toEqual([
      [1, 0],
      [2, 1000],
      [3, 2000],
    ]);
    expect(lists[0]?.list.items).toEqual(items);
    expect(heard).toEqual(['r', 'r', 'r']);
  });

  it('passes on what the requester wants', async () => {
    report = async ({ number }) => ({ number, desired: [{ executionId: 'e', attempt: 2, desired: 'stop' }] });
    reporter.changed('r');
    await clock.settle();
    expect(wishes).toEqual(['r e 2 stop']);
  });

  it('has one list under way at a time; a change meanwhile makes one more follow', async () => {
    const answers: ((answer: ServingAnswer) => void)[] = [];
    report = () => new Promise((resolve) => answers.push(resolve));
    reporter.changed('r');
    items = [itemOf('Running', { sequence: 9 })];
    for (let change = 0; change < 5; change += 1) reporter.changed('r');
    await clock.settle();
    expect(lists).toHaveLength(1);
    answers[0]?.({ number: 1, desired: [] });
    await clock.settle();
    expect(lists).toHaveLength(2);
    expect(lists[1]?.list.items[0]?.sequence).toBe(9);
    answers[1]?.({ number: 2, desired: [] });
    await clock.settle();
    expect(lists).toHaveLength(2);
  });

  it('backs off while nobody answers, and starts afresh when somebody does', async () => {
    report = () => Promise.reject(new Error('unreachable'));
    reporter.changed('r');
    await clock.advanceBy(20_000);
    const waits = lists.slice(1).map(({ atMs }, index) => atMs - (lists[index]?.atMs ?? 0));
    expect(waits.slice(0, 6)).toEqual([1000, 1500, 2250, 3375, 5000, 5000]);
    report = async ({ number }) => ({ number, desired: [] });
    const before = lists.length;
    reporter.changed('r');
    await clock.advanceBy(PERIOD_MS);
    expect(lists.length - before).toBe(2);
    expect(heard).toHaveLength(2);
  });

  it('a change while nobody answers does not make it hurry', async () => {
    let reject: (error: Error) => void = () => {};
    report = () => new Promise((_, no) => (reject = no));
    reporter.changed('r');
    reporter.changed('r');
    reject(new Error('unreachable'));
    await clock.advanceBy(PERIOD_MS - 1);
    expect(lists).toHaveLength(1);
    await clock.advanceBy(1);
    expect(lists).toHaveLength(2);
  });

  it('sends at once when its requester came back while a list hung', async () => {
    const rejects: ((error: Error) => void)[] = [];
    report = () => new Promise((_, no) => rejects.push(no));
    reporter.changed('r');
    reporter.reachable('r');
    rejects[0]?.(new Error('unreachable'));
    await clock.settle();
    expect(lists).toHaveLength(2);
    // Once only: a connection that comes and goes must not make it spin.
    reporter.reachable('r');
    rejects[1]?.(new Error('unreachable'));
    await clock.settle();
    expect(lists).toHaveLength(2);
    await clock.advanceBy(LONGEST_MS);
    expect(lists).toHaveLength(3);
  });

  it('sends at once to a requester that is back, and nothing to one it does not serve', async () => {
    report = () => Promise.reject(new Error('unreachable'));
    reporter.changed('r');
    await clock.settle();
    reporter.reachable('r');
    reporter.reachable('stranger');
    await clock.settle();
    expect(lists.map(({ requester }) => requester)).toEqual(['r', 'r']);
  });

  it('ends when there is nothing left to say, and begins again with the next change', async () => {
    reporter.changed('r');
    await clock.settle();
    items = [];
    await clock.advanceBy(10 * PERIOD_MS);
    expect(lists).toHaveLength(1);
    items = [itemOf('BidAccepted')];
    reporter.changed('r');
    await clock.settle();
    expect(lists).toHaveLength(2);
  });

  it('keeps requesters apart', async () => {
    report = (list) =>
      lists.at(-1)?.requester === 'slow'
        ? new Promise(() => {})
        : Promise.resolve({ number: list.number, desired: [] });
    reporter.changed('slow');
    reporter.changed('quick');
    await clock.advanceBy(3 * PERIOD_MS);
    expect(lists.filter(({ requester }) => requester === 'slow')).toHaveLength(1);
    expect(lists.filter(({ requester }) => requester === 'quick')).toHaveLength(4);
  });

  it('sends no more items than a list takes', async () => {
    items = Array.from({ length: MOST_ITEMS + 5 }, (_, index) =>
      itemOf('Running', { executionId: `e${index}` }),
    );
    reporter.changed('r');
    await clock.settle();
    expect(lists[0]?.list.items).toHaveLength(MOST_ITEMS);
    expect(lists[0]?.list.items[0]?.executionId).toBe('e0');
  });

  it('after stop sends nothing and listens to nothing', async () => {
    let answer: (answer: ServingAnswer) => void = () => {};
    report = () => new Promise((resolve) => (answer = resolve));
    reporter.changed('r');
    reporter.changed('r');
    reporter.stop();
    answer({ number: 1, desired: [{ executionId: 'e', attempt: 1, desired: 'stop' }] });
    reporter.changed('r');
    await clock.advanceBy(20_000);
    expect(lists).toHaveLength(1);
    expect(wishes).toEqual([]);
    expect(heard).toEqual([]);
  });

  describe('that says farewell', () => {
    const LIMIT_MS = 1000;
    const leave = (): { over: boolean } => {
      const seen = { over: false };
      void reporter.farewell(LIMIT_MS).then(() => {
        seen.over = true;
      });
      return seen;
    };

    it('tells what is over until it was taken, and then nothing more', async () => {
      reporter.changed('r');
      await clock.settle();
      items = [itemOf('Failed', { exitReason: 'lost', finishedAt: 1 })];
      const left = leave();
      await clock.advanceBy(200);
      expect(left.over).toBe(false);
      expect(lists.length).toBeGreaterThan(2);
      expect(lists.at(-1)?.list.items[0]?.exitReason).toBe('lost');
      items = [];
      await clock.advanceBy(100);
      expect(left.over).toBe(true);
      const told = lists.length;
      reporter.changed('r');
      reporter.reachable('r');
      await clock.advanceBy(20_000);
      expect(lists).toHaveLength(told);
    });

    it('waits for nobody who is not there, and for nobody for long', async () => {
      items = [itemOf('Failed', { finishedAt: 1 })];
      report = () => Promise.reject(new Error('unreachable'));
      reporter.changed('r');
      await clock.settle();
      const left = leave();
      await clock.settle();
      expect(left.over).toBe(true);
    });

    it('is over in time where a requester hangs', async () => {
      items = [itemOf('Failed', { finishedAt: 1 })];
      report = () => new Promise(() => {});
      reporter.changed('r');
      const left = leave();
      await clock.advanceBy(LIMIT_MS - 1);
      expect(left.over).toBe(false);
      await clock.advanceBy(2);
      expect(left.over).toBe(true);
    });

    it('says nothing where nothing is over', async () => {
      reporter.changed('r');
      await clock.settle();
      const left = leave();
      await clock.settle();
      expect([left.over, lists.length]).toEqual([true, 1]);
    });

    it('tells its own requester once', async () => {
      items = [itemOf('Failed', { finishedAt: 1 })];
      reporter.changed('provider');
      await clock.settle();
      const left = leave();
      await clock.settle();
      expect([left.over, lists.length]).toEqual([true, 2]);
    });
  });
});
