import { describe, expect, it } from 'vitest';
import { declineOf, entryOf, executionOf, jobOf, NOW, observedAs, roundOf } from '../fakes/market.ts';
import { e, kinds, plan, reasonOf, running } from './plan-words.ts';

describe('not enough nodes', () => {
  const empty = (changes: Parameters<typeof roundOf>[1] = {}) => roundOf([], changes);

  it('no queueing: the job fails at once, with the reasons counted', () => {
    const search = empty({
      index: {
        entries: [],
        declines: [
          { provider: 'a', decline: declineOf('a', { field: 'memory' }).value },
          { provider: 'b', decline: declineOf('b', { field: 'memory' }).value },
        ],
        refused: [{ provider: 'c', code: 'OVER_BUDGET' }],
      },
    });
    const actions = plan({ search });
    expect(kinds(actions)).toEqual(['job Failed']);
    expect(reasonOf(actions)).toBe(
      'No provider could take the job: 2 x INSUFFICIENT_RESOURCES (memory), 1 x OVER_BUDGET.',
    );
  });

  it('says so when nobody was reached, and when nobody answered', () => {
    expect(reasonOf(plan({ search: empty({ seenAtLeast: 0 }) }))).toContain('No provider could be reached');
    expect(reasonOf(plan({ search: empty({ seenAtLeast: 2 }) }))).toBe('No provider made a bid in time.');
  });

  it('asked only some: the next round follows at once, until the rounds are used up', () => {
    const partial = empty({ partial: true });
    expect(kinds(plan({ search: partial }))).toEqual(['search 2 for 1']);
    expect(kinds(plan({ search: { ...partial, fruitlessRounds: 5 } }))).toEqual(['job Failed']);
  });

  it('queue: the job waits for the next search', () => {
    const job = jobOf({ spec: { timeouts: { ...jobOf().spec.timeouts, queueMs: 60_000 } } });
    expect(kinds(plan({ job, search: empty() }))).toEqual(['job Queued', 'again job-queue +5000']);
    expect(kinds(plan({ job: { ...job, state: 'Queued' }, search: empty() }, NOW + 5000))).toEqual([
      'search 2 for 1',
    ]);
  });

  it('queue: its end comes on time, also between two searches', () => {
    const job = jobOf({ state: 'Queued', spec: { timeouts: { ...jobOf().spec.timeouts, queueMs: 7000 } } });
    const search = empty({ round: 2, closedAt: NOW + 5000, fruitlessRounds: 2 });
    expect(kinds(plan({ job, search }, NOW + 5000))).toEqual(['again job-queue +7000']);
    expect(kinds(plan({ job, search }, NOW + 7000))).toEqual(['job Failed']);
  });

  it('queue with running: the job stays Running while others wait', () => {
    const job = jobOf({
      state: 'Running',
      spec: { count: 2, timeouts: { ...jobOf().spec.timeouts, queueMs: 60_000 } },
    });
    const executions = [{ ...running(), requestId: 'round-0' }];
    expect(kinds(plan({ job, executions, search: empty() }))).toEqual(['again job-queue +5000']);
  });

  it('failed: no more nodes; what runs is cancelled with the job', () => {
    const job = jobOf({ state: 'Running', spec: { count: 2 } });
    const executions = [{ ...running(), requestId: 'round-0' }];
    expect(kinds(plan({ job, executions, search: empty() }))).toEqual([`Cancelled ${e(0, 1)}`, 'job Failed']);
  });

  it('frees bidders that are of no more use before it waits', () => {
    const job = jobOf({ spec: { timeouts: { ...jobOf().spec.timeouts, queueMs: 60_000 } } });
    const executions = [executionOf(0, 1, 'a', observedAs.declined())];
    const search = roundOf([entryOf('a')], { fruitlessRounds: 5 });
    const actions = plan({ job, executions, search, openNegotiations: new Set(['a']) });
    expect(kinds(actions)).toEqual(['job Queued', 'again job-queue +5000', 'close search']);
  });

  it('a round whose bids came to nothing is repeated at once, but not for ever', () => {
    const executions = [executionOf(0, 1, 'a', observedAs.rejected(), { contractId: 'declined' })];
    const search = roundOf([entryOf('a')]);
    expect(plan({ executions, search })).toMatchObject([
      { kind: 'StartSearch', round: 2, fruitlessRounds: 2, fruitlessSince: NOW },
    ]);
    const last = roundOf([entryOf('a')], { round: 5, fruitlessRounds: 5 });
    expect(kinds(plan({ executions, search: last }))).toEqual(['job Failed']);
  });

  it('a round that led to a contract starts the count anew', () => {
    const executions = [executionOf(0, 1, 'a', observedAs.failed('lost', 'contract'))];
    const search = roundOf([entryOf('a')], { round: 4, fruitlessRounds: 4 });
    expect(plan({ job: jobOf({ state: 'Running' }), executions, search }, NOW + 10)).toMatchObject([
      { kind: 'StartSearch', round: 5, fruitlessRounds: 1, fruitlessSince: NOW + 10 },
    ]);
  });

  it('a search that a restart interrupted is repeated', () => {
    expect(kinds(plan({ search: empty({ closeReason: 'interrupted' }) }))).toEqual(['search 2 for 1']);
  });
});
