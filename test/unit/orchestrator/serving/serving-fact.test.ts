import { describe, expect, it } from 'vitest';
import type { Observed, ObservedState } from '../../../../src/domain/market/execution.ts';
import type { Desired, ServingItem } from '../../../../src/domain/market/serving.ts';
import { desiredFor, isNews, servingChange } from '../../../../src/orchestrator/serving/serving-fact.ts';
import { contractOf, executionOf, itemOf, NOW, observedAs, saidBy } from '../../fakes/market.ts';

const execution = (observed: Observed, changes: Parameters<typeof executionOf>[4] = {}) =>
  executionOf(0, 1, 'provider', observed, { contractId: 'contract', desired: 'Running', ...changes });

describe('what is wanted of an item', () => {
  const lost = observedAs.failed('lost', 'contract');
  const failed = observedAs.failed('exit-code', 'contract');
  it.each<[Observed, ServingItem['state'], Desired]>([
    [observedAs.new(), 'Running', 'stop'],
    [observedAs.asking(), 'Running', 'stop'],
    [observedAs.locked(), 'BidAccepted', 'run'],
    [observedAs.accepted(), 'BidAccepted', 'run'],
    [observedAs.running(), 'Running', 'run'],
    [observedAs.running(), 'Publishing', 'run'],
    [observedAs.publishing(), 'Publishing', 'run'],
    [observedAs.completed(), 'Publishing', 'done'],
    [failed, 'Failed', 'done'],
    [failed, 'Running', 'stop'],
    [lost, 'Running', 'stop'],
    [lost, 'Failed', 'stop'],
    [observedAs.cancelled('contract'), 'Running', 'stop'],
    [observedAs.rejected(), 'BidAccepted', 'stop'],
    [observedAs.declined(), 'BidAccepted', 'stop'],
  ])('%o here and %s there: %s', (observed, state, desired) => {
    expect(desiredFor(itemOf(state), execution(observed), 'provider')).toBe(desired);
  });

  it('is its end when it is not known here, of another provider, attempt or contract', () => {
    const running = execution(observedAs.running());
    expect(desiredFor(itemOf('Running'), undefined, 'provider')).toBe('stop');
    expect(desiredFor(itemOf('Running'), running, 'another')).toBe('stop');
    expect(desiredFor(itemOf('Running', { attempt: 2 }), running, 'provider')).toBe('stop');
    for (const observed of [
      observedAs.locked(),
      observedAs.running(),
      observedAs.completed(),
      observedAs.failed('trap', 'contract'),
    ]) {
      expect(desiredFor(itemOf('Failed', { contractId: 'other' }), execution(observed), 'provider')).toBe(
        'stop',
      );
    }
  });
});

describe('an item is news', () => {
  it('with a higher sequence, under this contract, of an execution that is not over', () => {
    const running = execution(observedAs.running(), { sequence: 2 });
    expect(isNews(itemOf('Running', { sequence: 3 }), running)).toBe(true);
    expect(isNews(itemOf('Running', { sequence: 2 }), running)).toBe(false);
    expect(isNews(itemOf('Running', { sequence: 3, contractId: 'other' }), running)).toBe(false);
    expect(isNews(itemOf('Running', { sequence: 3 }), execution(observedAs.completed()))).toBe(false);
    expect(isNews(itemOf('Failed', { sequence: 3 }), execution(observedAs.asking()))).toBe(false);
  });
});

describe('when an execution started', () => {
  const HOUR_MS = 3_600_000;
  const startOf = (item: ServingItem, observed: Observed, now: number): number | undefined => {
    const change = servingChange(item, execution(observed, { createdAt: NOW }), undefined, 'none', now);
    const next = change?.executions?.[0]?.observed;
    return next !== undefined && 'startedAt' in next ? next.startedAt : undefined;
  };

  it.each([0, HOUR_MS, -HOUR_MS])('is told on this clock, with the provider %i ms off', (offMs) => {
    const started = NOW + offMs + 500;
    expect(startOf(itemOf('Running', { startedAt: started }), observedAs.accepted(), NOW + 700)).toBe(
      NOW + 700,
    );
    const failed = itemOf('Failed', { startedAt: started, finishedAt: started + 2000, exitReason: 'trap' });
    expect(startOf(failed, observedAs.accepted(), NOW + 3000)).toBe(NOW + 1000);
  });

  it('is never before the execution was made, nor after now, whatever the provider says', () => {
    const said = (startedAt: number, finishedAt: number): number | undefined =>
      startOf(
        itemOf('Failed', { startedAt, finishedAt, exitReason: 'trap' }),
        observedAs.accepted(),
        NOW + 3000,
      );
    expect(said(0, Number.MAX_SAFE_INTEGER)).toBe(NOW);
    expect(said(Number.MAX_SAFE_INTEGER, 0)).toBe(NOW + 3000);
  });

  it('stays what it was, and is unknown of what never started', () => {
    const running = { ...observedAs.running(), startedAt: NOW + 5 } as Observed;
    const over = { startedAt: 7, finishedAt: 9, exitReason: 'trap' } as const;
    expect(startOf(itemOf('Failed', over), running, NOW + 3000)).toBe(NOW + 5);
    expect(
      startOf(itemOf('Failed', { exitReason: 'internal' }), observedAs.accepted(), NOW + 9),
    ).toBeUndefined();
  });
});

describe('the change an item makes', () => {
  const contract = contractOf('contract');
  const ended = { exitReason: 'completed', exitCode: 0, resultCid: 'result', resultBytes: 5 } as const;
  it.each<
    [ObservedState, ServingItem, 'here' | 'not-here' | 'none', ObservedState, string, readonly string[]]
  >([
    [
      'BidAccepted',
      itemOf('Running', { startedAt: NOW }),
      'none',
      'Running',
      'ACTIVE',
      ['execution.started'],
    ],
    ['Running', itemOf('Publishing', ended), 'not-here', 'Publishing', 'ACTIVE', ['execution.publishing']],
    ['Running', itemOf('Publishing', ended), 'here', 'Completed', 'COMPLETED', ['execution.completed']],
    ['BidAccepted', itemOf('Publishing', ended), 'here', 'Completed', 'COMPLETED', ['execution.completed']],
    ['Publishing', itemOf('Publishing', ended), 'here', 'Completed', 'COMPLETED', ['execution.completed']],
    [
      'Running',
      itemOf('Failed', { exitReason: 'exit-code', exitCode: 3 }),
      'none',
      'Failed',
      'TERMINATED',
      ['execution.failed', 'contract.terminated'],
    ],
    [
      'Running',
      itemOf('Failed', { exitReason: 'lost' }),
      'none',
      'Failed',
      'TERMINATED',
      ['execution.lost', 'contract.terminated'],
    ],
    [
      'Running',
      itemOf('Cancelled'),
      'none',
      'Failed',
      'TERMINATED',
      ['execution.lost', 'contract.terminated'],
    ],
    [
      'Running',
      itemOf('Publishing'),
      'none',
      'Failed',
      'TERMINATED',
      ['execution.failed', 'contract.terminated'],
    ],
  ])('%s and %o, result %s: %s, contract %s', (from, item, result, to, contractState, events) => {
    const observed = {
      BidAccepted: observedAs.accepted(),
      Running: observedAs.running(),
      Publishing: observedAs.publishing(),
    }[from as 'Running'];
    const change = servingChange(item, execution(observed), contract, result, NOW + 5);
    expect(change?.executions?.[0]).toMatchObject({ observed: { state: to }, lastSeenAt: NOW + 5 });
    expect(change?.contracts?.[0]?.state ?? 'ACTIVE').toBe(contractState);
    expect(change?.events.map(({ type }) => type)).toEqual(events);
    const over = to === 'Completed' || to === 'Failed';
    expect(change?.executions?.[0]?.desired).toBe(over ? 'Stopped' : 'Running');
  });

  it('keeps what the provider says of the end, and the time on this clock', () => {
    const item = itemOf('Failed', {
      exitReason: 'trap',
      exitCode: 134,
      message: 'unreachable',
      finishedAt: 1,
    });
    const change = servingChange(item, execution(observedAs.running()), contract, 'none', NOW + 5);
    expect(change?.executions?.[0]?.observed).toMatchObject({
      end: { finishedAt: NOW + 5, exitReason: 'trap', exitCode: 134, why: saidBy('unreachable') },
    });
  });

  it('shows the output of a failed attempt when it is here', () => {
    const item = itemOf('Failed', { exitReason: 'exit-code', resultCid: 'result', resultBytes: 5 });
    const running = execution(observedAs.running());
    expect(servingChange(item, running, contract, 'here', NOW)?.executions?.[0]?.observed).toMatchObject({
      resultCid: 'result',
    });
    expect(servingChange(item, running, contract, 'none', NOW)?.executions?.[0]?.observed).not.toHaveProperty(
      'resultCid',
    );
  });

  it('lets a Publishing item be news again when its bytes have come', () => {
    const item = itemOf('Publishing', { ...ended, sequence: 9 });
    const [publishing] =
      servingChange(item, execution(observedAs.running()), contract, 'not-here', NOW)?.executions ?? [];
    if (publishing === undefined) throw new Error('no change');
    expect(isNews(item, publishing)).toBe(true);
    const [completed] = servingChange(item, publishing, contract, 'here', NOW)?.executions ?? [];
    expect(completed).toMatchObject({ sequence: 9, observed: { state: 'Completed', resultBytes: 5 } });
  });

  it.each([
    ['an older sequence', itemOf('Failed', { sequence: 0 }), execution(observedAs.running())],
    ['the same state', itemOf('Running'), execution(observedAs.running())],
    ['nothing but the acceptance', itemOf('BidAccepted'), execution(observedAs.accepted())],
    ['a step back', itemOf('Running'), execution(observedAs.publishing())],
    [
      'an execution that is to be stopped',
      itemOf('Failed'),
      execution(observedAs.running(), { desired: 'Stopped' }),
    ],
  ])('is none for %s', (_, item, known) => {
    expect(servingChange(item, known, contract, 'none', NOW)).toBeUndefined();
  });
});
