import { describe, expect, it } from 'vitest';
import { MOST_IN_NEGOTIATION } from '../../../../src/orchestrator/schedulers/placement.ts';
import { entryOf, executionOf, jobOf, LOCK, NOW, observedAs, roundOf } from '../../fakes/market.ts';
import { e, kinds, plan, reasonOf, running } from './plan-words.ts';

describe('a new job', () => {
  it('is searched for, with a place for each partition', () => {
    expect(kinds(plan({ job: jobOf({ spec: { count: 3 } }) }))).toEqual(['search 1 for 3']);
  });

  it('waits while its search is waiting or on the air', () => {
    expect(plan({ search: roundOf([], { state: 'waiting' }) })).toEqual([]);
    expect(plan({ search: roundOf([], { state: 'open' }) })).toEqual([]);
  });

  it('creates enough: one execution for each partition, on the best bids', () => {
    const actions = plan({
      job: jobOf({ spec: { count: 3 } }),
      search: roundOf([entryOf('a', { slots: 2 }), entryOf('b'), entryOf('c')]),
      openNegotiations: new Set(['a', 'b', 'c']),
    });
    expect(kinds(actions)).toEqual([
      `create ${e(0, 1)} on a`,
      `create ${e(1, 1)} on a`,
      `create ${e(2, 1)} on b`,
    ]);
  });

  it('proposes in the same plan on a bid that came locked, for one execution only', () => {
    const actions = plan({
      job: jobOf({ spec: { count: 2 } }),
      search: roundOf([entryOf('a', { slots: 2, lock: LOCK })]),
      openNegotiations: new Set(['a']),
    });
    expect(kinds(actions)).toEqual([`create ${e(0, 1)} on a`, `Running ${e(0, 1)}`, 'job Running']);
    expect(actions[0]).toMatchObject({ execution: { observed: { state: 'AskForBidAccepted', lock: LOCK } } });
  });

  it('leaves bids alone whose negotiation is over', () => {
    const actions = plan({
      search: roundOf([entryOf('a'), entryOf('b')]),
      openNegotiations: new Set(['b']),
    });
    expect(kinds(actions)).toEqual([`create ${e(0, 1)} on b`]);
  });

  describe('with bids that have run out', () => {
    const brief = { ...entryOf('a', { validForMs: 1000 }) };
    const search = roundOf([brief, entryOf('b')]);
    const openNegotiations = new Set(['a', 'b']);

    it('uses a bid to the last moment of its time', () => {
      expect(kinds(plan({ search, openNegotiations }, NOW + 999))).toEqual([`create ${e(0, 1)} on a`]);
    });

    it('says so of them, and goes to the next one', () => {
      const after = NOW + 1000;
      expect(kinds(plan({ search, openNegotiations }, after))).toEqual([
        'BID_EXPIRED a',
        'again search-closed +1000',
      ]);
      const refused = [{ provider: 'a', code: 'BID_EXPIRED' } as const];
      const told = { ...search, index: { ...search.index, refused } };
      expect(kinds(plan({ search: told, openNegotiations }, after))).toEqual([`create ${e(0, 1)} on b`]);
    });

    it('searches again when none is left, and fails with the reason when that was the last round', () => {
      const refused = [{ provider: 'a', code: 'BID_EXPIRED' } as const];
      const told = roundOf([brief], { index: { entries: [brief], declines: [], refused } });
      const open = new Set(['a']);
      expect(kinds(plan({ search: told, openNegotiations: open }, NOW + 1000))).toEqual(['search 2 for 1']);
      const last = { ...told, fruitlessRounds: 5 };
      expect(reasonOf(plan({ search: last, openNegotiations: open }, NOW + 1000))).toContain(
        '1 x BID_EXPIRED',
      );
    });

    it('says nothing of one whose provider went away, or has work of the job', () => {
      const gone = plan({ search, openNegotiations: new Set(['b']) }, NOW + 1000);
      expect(kinds(gone)).toEqual([`create ${e(0, 1)} on b`]);
      const job = jobOf({ spec: { count: 2 } });
      const executions = [running(0, 1, 'a')];
      expect(kinds(plan({ job, search, openNegotiations, executions }, NOW + 1000))).toContain(
        `create ${e(1, 1)} on b`,
      );
    });
  });

  it('has a bounded number in negotiation, and goes on as they get their contracts', () => {
    const count = MOST_IN_NEGOTIATION + 10;
    const search = roundOf([entryOf('a', { slots: count })]);
    const openNegotiations = new Set(['a']);
    const job = jobOf({ spec: { count } });
    const first = plan({ job, search, openNegotiations });
    expect(first).toHaveLength(MOST_IN_NEGOTIATION);

    const asked = Array.from({ length: MOST_IN_NEGOTIATION }, (_, partition) =>
      executionOf(partition, 1, 'a', partition < 4 ? observedAs.accepted() : observedAs.asking()),
    );
    const second = plan({ job, search, openNegotiations, executions: asked });
    expect(kinds(second)).toEqual(
      [0, 1, 2, 3].map((more) => `create ${e(MOST_IN_NEGOTIATION + more, 1)} on a`),
    );
  });
});

describe('a job with executions', () => {
  it('already enough executions: nothing to do', () => {
    expect(plan({ job: jobOf({ state: 'Running' }), executions: [running()] })).toEqual([]);
  });

  it('reject extra: of two for one partition the one under contract stays', () => {
    const executions = [
      executionOf(0, 1, 'a', observedAs.asking()),
      executionOf(0, 2, 'b', observedAs.running(), { desired: 'Running' }),
    ];
    const actions = plan({
      job: jobOf({ state: 'Running' }),
      executions,
      search: roundOf([]),
      openNegotiations: new Set(['a']),
    });
    expect(kinds(actions)).toEqual([`BidRejected ${e(0, 1)}`, 'close search']);
  });

  it('too many executions: of two that run the older one stays', () => {
    const executions = [running(0, 1, 'a'), running(0, 2, 'b')];
    expect(kinds(plan({ job: jobOf({ state: 'Running' }), executions }))).toEqual([`Cancelled ${e(0, 2)}`]);
  });

  it('tells the winner to run once it holds a lock', () => {
    const actions = plan({
      executions: [executionOf(0, 1, 'a', observedAs.locked())],
      search: roundOf([entryOf('a')]),
      openNegotiations: new Set(['a']),
    });
    expect(kinds(actions)).toEqual([`Running ${e(0, 1)}`, 'job Running']);
  });

  it('frees the other bidders when everything is under contract', () => {
    const search = roundOf([entryOf('a'), entryOf('b')]);
    const openNegotiations = new Set(['b']);
    const job = jobOf({ state: 'Running' });
    expect(kinds(plan({ job, executions: [running()], search, openNegotiations }))).toEqual(['close search']);
    expect(plan({ job, executions: [running()], search })).toEqual([]);
  });

  it('mark completed: every partition has its result', () => {
    const executions = [
      executionOf(0, 1, 'a', observedAs.failed('lost', 'x')),
      executionOf(0, 2, 'a', observedAs.completed()),
      executionOf(1, 1, 'b', observedAs.completed()),
    ];
    const actions = plan({ job: jobOf({ state: 'Running', spec: { count: 2 } }), executions });
    expect(kinds(actions)).toEqual(['job Completed']);
  });

  it('is not completed while a partition is missing', () => {
    const executions = [executionOf(0, 1, 'a', observedAs.completed()), running(1, 1)];
    expect(plan({ job: jobOf({ state: 'Running', spec: { count: 2 } }), executions })).toEqual([]);
  });
});

describe('the end of a job', () => {
  const executions = [
    executionOf(0, 1, 'a', observedAs.new()),
    executionOf(1, 1, 'b', observedAs.asking()),
    executionOf(2, 1, 'c', observedAs.locked()),
    executionOf(3, 1, 'd', observedAs.locked(), { contractId: 'proposed', desired: 'Running' }),
    executionOf(4, 1, 'e', observedAs.accepted(), { desired: 'Running' }),
    running(5, 1, 'f'),
    executionOf(6, 1, 'g', observedAs.publishing(), { desired: 'Running' }),
    executionOf(7, 1, 'h', observedAs.completed()),
    executionOf(8, 1, 'i', observedAs.failed('lost', 'x')),
  ];
  const stops = [
    `BidRejected ${e(0, 1)}`,
    `BidRejected ${e(1, 1)}`,
    `BidRejected ${e(2, 1)}`,
    `Cancelled ${e(3, 1)}`,
    `Cancelled ${e(4, 1)}`,
    `Cancelled ${e(5, 1)}`,
    `Cancelled ${e(6, 1)}`,
  ];

  it('job stopped: losing bidders are rejected, what is bound is cancelled', () => {
    const job = jobOf({ state: 'Running', stopRequested: true, spec: { count: 9 } });
    const search = roundOf([], { state: 'open' });
    expect(kinds(plan({ job, executions, search }))).toEqual([...stops, 'close search', 'job Stopped']);
  });

  it('failed: total timeout', () => {
    const job = jobOf({ state: 'Running', spec: { count: 9 } });
    const now = NOW + job.spec.timeouts.totalMs;
    const actions = plan({ job, executions }, now);
    expect(kinds(actions)).toEqual([...stops, 'job Failed']);
    expect(reasonOf(actions)).toContain('total time');
    expect(actions[0]).toMatchObject({ observed: { end: { exitReason: 'timeout', finishedAt: now } } });
    const text = JSON.stringify(actions);
    expect(text).toContain('total-time-over');
    expect(text).not.toContain('Stopped by the requester.');
  });

  it('a terminal job stops what is left of it and keeps its state', () => {
    for (const state of ['Completed', 'Failed', 'Stopped'] as const) {
      expect(kinds(plan({ job: jobOf({ state, spec: { count: 9 } }), executions }))).toEqual(stops);
    }
  });

  it('the contract of a proposal without an answer is named in its end', () => {
    const actions = plan({ job: jobOf({ stopRequested: true, spec: { count: 9 } }), executions });
    expect(actions[3]).toMatchObject({ observed: { state: 'Cancelled', contractId: 'proposed' } });
    expect(actions[2]).not.toHaveProperty('observed.contractId');
  });
});
