import { describe, expect, it } from 'vitest';
import type { Decline } from '../../../../src/domain/market/bid.ts';
import type { Job } from '../../../../src/domain/job/job.ts';
import type { Search } from '../../../../src/domain/market/search.ts';
import { declineOf, endOf, executionOf, jobOf, NOW, observedAs, roundOf } from '../../fakes/market.ts';
import { e, kinds, plan, reasonOf, running } from './plan-words.ts';

const MINUTE_MS = 60_000;

/** A job that says nothing of `timeouts.queue`. */
function untold(spec: Partial<Job['spec']> = {}, state: Job['state'] = 'Pending'): Job {
  const timeouts = { ...jobOf().spec.timeouts, queueMs: 10 * MINUTE_MS, queueFor: 'room' } as const;
  return jobOf({ state, spec: { ...spec, timeouts } });
}

function declined(changes: Partial<Decline> = {}, more: Partial<Search> = {}): Search {
  return roundOf([], {
    index: {
      entries: [],
      declines: [{ provider: 'a', decline: declineOf('a', changes).value }],
      refused: [],
    },
    ...more,
  });
}

describe('a job that does not say how long it waits', () => {
  it('waits where a known provider could take it once it has room', () => {
    const waiting = ['job Queued', 'again job-queue +5000'];
    expect(kinds(plan({ job: untold(), search: declined() }))).toEqual(waiting);
    expect(kinds(plan({ job: untold(), search: declined({ code: 'BUSY' }) }))).toEqual(waiting);
    expect(kinds(plan({ job: untold(), search: roundOf([], { roomMayCome: true }) }))).toEqual(waiting);
  });

  it.each([
    ['nobody is there', roundOf([], { seenAtLeast: 0 })],
    ['nobody answered', roundOf([], { seenAtLeast: 2 })],
    ['it fits nobody, whatever runs there', declined({ retryable: false })],
    ['nobody lacks but room', declined({ code: 'PRICE' })],
    ['the providers take no work', declined({ code: 'DRAINING' })],
  ])('fails at once where %s', (_, search) => {
    expect(kinds(plan({ job: untold(), search }))).toEqual(['job Failed']);
  });

  it('waits where the bid was taken by another job before it could be locked', () => {
    const taken = executionOf(0, 1, 'a', {
      state: 'AskForBidRejected',
      end: endOf('denied', { noRoom: true }),
    });
    const search = roundOf([], { fruitlessRounds: 5 });
    expect(kinds(plan({ job: untold(), executions: [taken], search }))).toContain('job Queued');
  });

  it('goes on waiting when a later round brings no answer at all', () => {
    const [, again] = plan({ job: untold(), search: declined() }, NOW);
    expect(again).toMatchObject({ kind: 'Requeue' });
    const [start] = plan({ job: untold({}, 'Queued'), search: declined() }, NOW + 5000);
    expect(start).toMatchObject({ kind: 'StartSearch', round: 2, roomMayCome: true });
    const silent = roundOf([], { round: 2, roomMayCome: true, closedAt: NOW + 6000, fruitlessRounds: 2 });
    expect(kinds(plan({ job: untold({}, 'Queued'), search: silent }, NOW + 6000))).toEqual([
      'again job-queue +11000',
    ]);
  });

  it('fails after ten minutes, and says what would help', () => {
    const actions = plan({ job: untold({}, 'Queued'), search: declined() }, NOW + 10 * MINUTE_MS);
    expect(kinds(actions)).toEqual(['job Failed']);
    expect(reasonOf(actions)).toContain('With more time in timeouts.queue the job waits longer for room.');
  });
});

describe('a sweep of which a part fits', () => {
  const sweep = untold({ count: 3 }, 'Running');
  const two = [running(0), running(1)].map((one) => ({ ...one, requestId: 'round-0' }));

  it('runs what fits, however long that takes, while the rest waits', () => {
    const search = declined({}, { round: 2, fruitlessRounds: 2 });
    expect(kinds(plan({ job: sweep, executions: two, search }))).toEqual(['again job-queue +5000']);
    const much = NOW + 40 * MINUTE_MS;
    const seen = two.map((one) => ({ ...one, createdAt: much, lastSeenAt: much }));
    const later = { ...search, closedAt: much };
    const actions = kinds(plan({ job: sweep, executions: seen, search: later }, much));
    expect(actions).toEqual([`again job-queue +${40 * MINUTE_MS + 30_000}`]);
  });

  it('searches at once when one of its own has ended, and once for it', () => {
    const done = executionOf(0, 1, 'a', observedAs.completed('first'), { requestId: 'round-0' });
    const finishedAt = NOW + 700;
    const ended = {
      ...done,
      observed: { ...done.observed, end: endOf('completed', { finishedAt }) },
    } as typeof done;
    const search = declined({}, { round: 2, openedAt: NOW + 100, closedAt: NOW + 200 });
    const executions = [ended, { ...running(1), requestId: 'round-0', lastSeenAt: NOW + 700 }];
    expect(kinds(plan({ job: sweep, executions, search }, NOW + 701))).toEqual(['search 3 for 1']);
    const next = { ...search, round: 3, openedAt: NOW + 701, closedAt: NOW + 720 };
    expect(kinds(plan({ job: sweep, executions, search: next }, NOW + 720))).toEqual([
      'again job-queue +5720',
    ]);
  });

  it('counts the wait from the end of the last that ran', () => {
    const finishedAt = NOW + 30 * MINUTE_MS;
    const done = [0, 1].map((partition) => {
      const execution = executionOf(partition, 1, 'a', observedAs.completed(), { requestId: 'round-0' });
      const observed = { ...execution.observed, end: endOf('completed', { finishedAt }) };
      return { ...execution, observed };
    });
    const search = declined({}, { round: 9, openedAt: finishedAt + 1, closedAt: finishedAt + 2 });
    const at = (now: number) => kinds(plan({ job: sweep, executions: done, search }, now));
    expect(at(finishedAt + 9 * MINUTE_MS)).toEqual(['search 10 for 1']);
    expect(at(finishedAt + 10 * MINUTE_MS)).toEqual(['job Failed']);
  });

  it('fails as a whole, and at once, where it is told not to wait', () => {
    const job = jobOf({ state: 'Running', spec: { count: 3 } });
    expect(kinds(plan({ job, executions: two, search: declined() }))).toEqual([
      `Cancelled ${e(0, 1)}`,
      `Cancelled ${e(1, 1)}`,
      'job Failed',
    ]);
  });
});

describe('freed room', () => {
  it('is used at once by the job that is told of it, and not before', () => {
    const job = untold({}, 'Queued');
    const search = declined({}, { openedAt: NOW, closedAt: NOW + 50 });
    const at = NOW + 300;
    expect(kinds(plan({ job, search, roomFreedAt: NOW + 250 }, at))).toEqual(['search 2 for 1']);
    expect(kinds(plan({ job, search, roomFreedAt: NOW - 1 }, at))).toEqual(['again job-queue +5050']);
  });
});
