import { describe, expect, it } from 'vitest';
import type { Execution } from '../../../../src/domain/market/execution.ts';
import { OVERDUE_SLACK_MS } from '../../../../src/orchestrator/schedulers/deadlines.ts';
import { MOST_AWAY } from '../../../../src/orchestrator/schedulers/retry.ts';
import { entryOf, executionOf, jobOf, NOW, observedAs, roundOf, saidBy } from '../../fakes/market.ts';
import { e, kinds, LOST_AFTER_MS, plan, reasonOf, running } from './plan-words.ts';

describe('losses', () => {
  it('unhealthy: a silent provider is lost and its partition placed again', () => {
    const actions = plan(
      {
        job: jobOf({ state: 'Running' }),
        executions: [running()],
        search: roundOf([entryOf('a')]),
      },
      NOW + LOST_AFTER_MS + 1,
    );
    expect(kinds(actions)).toEqual([`lost ${e(0, 1)}`, 'search 2 for 1']);
    expect(actions[0]).toMatchObject({
      observed: { state: 'Failed', contractId: 'contract', startedAt: NOW, end: { exitReason: 'lost' } },
    });
  });

  it('is not lost at the very limit', () => {
    const executions = [running()];
    expect(plan({ job: jobOf({ state: 'Running' }), executions }, NOW + LOST_AFTER_MS)).toEqual([]);
  });

  it('a negotiation that broke is lost, and another bid takes its partition', () => {
    const actions = plan({
      executions: [executionOf(0, 1, 'a', observedAs.asking())],
      search: roundOf([entryOf('a'), entryOf('b')]),
      openNegotiations: new Set(['b']),
    });
    expect(kinds(actions)).toEqual([`lost ${e(0, 1)}`, `create ${e(0, 2)} on b`]);
  });

  it('a loss while Publishing places the partition again', () => {
    const executions = [executionOf(0, 1, 'a', observedAs.publishing(), { desired: 'Running' })];
    const actions = plan(
      { job: jobOf({ state: 'Running' }), executions, search: roundOf([entryOf('a')]) },
      NOW + LOST_AFTER_MS + 1,
    );
    expect(kinds(actions)).toEqual([`lost ${e(0, 1)}`, 'search 2 for 1']);
  });

  it('a proposal whose answer is not known is neither lost nor replaced', () => {
    const executions = [executionOf(0, 1, 'a', observedAs.locked(), { contractId: 'c', desired: 'Running' })];
    const search = roundOf([entryOf('a'), entryOf('b')]);
    const state = 'Running' as const;
    expect(
      plan({ job: jobOf({ state }), executions, search, openNegotiations: new Set(['b']) }, NOW + 60_000),
    ).toEqual([]);
  });

  it('stop expired executions: work that is long overdue is given up', () => {
    const { timeouts } = jobOf().spec;
    const now =
      NOW +
      timeouts.lockMs +
      timeouts.contractMs +
      timeouts.startMs +
      timeouts.executionMs +
      OVERDUE_SLACK_MS;
    const executions = [{ ...running(), lastSeenAt: now }];
    const actions = plan({ job: jobOf({ state: 'Running' }), executions }, now);
    expect(kinds(actions)).toEqual([`lost ${e(0, 1)}`, 'job Failed']);
    expect(reasonOf(actions)).toBe('Partition 0 failed (timeout): The work was not done in its time.');
    expect(plan({ job: jobOf({ state: 'Running' }), executions }, now - 1)).toEqual([]);
  });
});

describe('retries', () => {
  const failedOnce = executionOf(0, 1, 'a', observedAs.failed('internal', 'contract'));
  const job = jobOf({ state: 'Running' });

  it('wait for their back-off', () => {
    const actions = plan({ job, executions: [failedOnce], search: roundOf([entryOf('a'), entryOf('b')]) });
    expect(kinds(actions)).toEqual(['again job-retry +1000']);
  });

  it('take the next bid of the same round after it, and not the provider that failed', () => {
    const search = roundOf([entryOf('a', { slots: 3 }), entryOf('b')]);
    const actions = plan(
      { job, executions: [failedOnce], search, openNegotiations: new Set(['a', 'b']) },
      NOW + 1000,
    );
    expect(kinds(actions)).toEqual([`create ${e(0, 2)} on b`]);
  });

  it('preserve the partition, and leave the others alone', () => {
    const executions = [
      executionOf(0, 1, 'a', observedAs.completed()),
      executionOf(1, 1, 'b', observedAs.failed('lost', 'contract')),
      running(2, 1, 'c'),
    ];
    const actions = plan({
      job: jobOf({ state: 'Running', spec: { count: 3 } }),
      executions,
      search: roundOf([entryOf('d')]),
      openNegotiations: new Set(['d']),
    });
    expect(kinds(actions)).toEqual([`create ${e(1, 2)} on d`]);
  });

  it('failed: no retry for a reason that was not named', () => {
    const executions = [
      executionOf(0, 1, 'a', {
        ...observedAs.failed('exit-code', 'contract'),
        end: { finishedAt: NOW, exitReason: 'exit-code', exitCode: 3, why: saidBy('boom') },
      } as Execution['observed']),
    ];
    const actions = plan({ job, executions });
    expect(kinds(actions)).toEqual(['job Failed']);
    expect(reasonOf(actions)).toBe('Partition 0 failed (exit-code with exit code 3): boom');
  });

  it('failed: attempts are used up; the others are cancelled', () => {
    const executions = [
      ...[1, 2, 3].map((attempt) => executionOf(0, attempt, 'a', observedAs.failed('lost', 'contract'))),
      running(1, 1, 'b'),
    ];
    const actions = plan({ job: jobOf({ state: 'Running', spec: { count: 2 } }), executions });
    expect(kinds(actions)).toEqual([`Cancelled ${e(1, 1)}`, 'job Failed']);
    expect(reasonOf(actions)).toContain('failed 3 times');
  });

  it('do not count work that had not begun when this node was away, and need no word in retry.on', () => {
    const away = (times: number): readonly Execution[] =>
      Array.from({ length: times }, (_, index) =>
        executionOf(0, index + 1, 'a', observedAs.failed('requester-away', 'contract')),
      );
    const once = jobOf({ state: 'Running', spec: { retry: { attempts: 1, backoffMs: 1000, on: [] } } });
    const search = roundOf([entryOf('b')]);
    const actions = plan({ job: once, executions: away(1), search, openNegotiations: new Set(['b']) });
    expect(kinds(actions)).toEqual([`create ${e(0, 2)} on b`]);
    expect(reasonOf(plan({ job: once, executions: away(MOST_AWAY + 1) }))).toContain('requester-away');
  });

  it('do not count attempts that never had a contract', () => {
    const executions = [1, 2, 3, 4].map((attempt) =>
      executionOf(
        0,
        attempt,
        `p${attempt}`,
        attempt % 2 === 0 ? observedAs.declined() : observedAs.failed('lost'),
      ),
    );
    const search = roundOf([entryOf('b')]);
    const actions = plan({ executions, search, openNegotiations: new Set(['b']) });
    expect(kinds(actions)).toEqual([`create ${e(0, 5)} on b`]);
  });
});
