import { describe, expect, it } from 'vitest';
import type { Execution, Observed } from '../../../../src/domain/market/execution.ts';
import type { JobEventDraft } from '../../../../src/domain/job/job-event.ts';
import { exitReasons } from '../../../../src/domain/program/task.ts';
import { behaviourEventsIn } from '../../../../src/orchestrator/behaviour/behaviour-events.ts';
import { servingChange } from '../../../../src/orchestrator/serving/serving-fact.ts';
import { contractOf, endOf, executionOf, itemOf, NOW, observedAs } from '../../fakes/market.ts';

const PROVIDER = 'provider';

function said(
  event: Partial<JobEventDraft>,
  observed: Observed = observedAs.running(),
  startedAt = 0,
): readonly string[] {
  const execution: Execution = executionOf(0, 1, PROVIDER, observed);
  const about = { at: NOW, provider: PROVIDER, executionId: execution.id };
  const facts = behaviourEventsIn([{ type: 'search.opened', ...about, ...event }], [execution], startedAt);
  expect(facts.every(({ provider }) => provider === PROVIDER)).toBe(true);
  return facts.map(({ kind }) => kind);
}

const uncommitted: Observed = { state: 'Failed', end: endOf('lost') };
const committed: Observed = { state: 'Failed', contractId: 'contract', end: endOf('lost') };

describe('the conduct of a provider', () => {
  it.each<[Partial<JobEventDraft>, Observed, string]>([
    [{ type: 'lock.declined', code: 'INSUFFICIENT_RESOURCES' }, uncommitted, 'declined-after-bid'],
    [{ type: 'lock.timeout', code: 'NEGOTIATION_TIMEOUT' }, uncommitted, 'lock-timeout'],
    [{ type: 'lock.timeout', code: 'NEGOTIATION_LOST' }, uncommitted, 'lock-timeout'],
    [{ type: 'lock.timeout', code: 'BID_CHANGED' }, uncommitted, 'declined-after-bid'],
    [{ type: 'contract.declined', code: 'BUSY' }, uncommitted, 'declined-after-bid'],
    [{ type: 'contract.declined', code: 'BID_CHANGED' }, uncommitted, 'declined-after-bid'],
    [{ type: 'contract.declined', code: 'NEVER' }, uncommitted, 'contract-abandoned'],
    [{ type: 'contract.declined', code: 'NEGOTIATION_TIMEOUT' }, uncommitted, 'contract-abandoned'],
    [{ type: 'execution.lost', code: 'lost' }, committed, 'lost-execution'],
    [{ type: 'execution.failed', code: 'requester-away' }, committed, 'declined-after-bid'],
    [{ type: 'execution.lost', code: 'lost' }, uncommitted, 'lock-timeout'],
    [{ type: 'execution.lost', code: 'lost', data: { badResult: true } }, committed, 'bad-result'],
    [{ type: 'execution.failed', code: 'timeout', data: { overdue: true } }, committed, 'late-result'],
    [{ type: 'execution.failed', code: 'internal' }, committed, 'lost-execution'],
    [{ type: 'execution.completed', code: 'completed' }, committed, 'good'],
  ])('is read from %j', (event, observed, kind) => {
    expect(said(event, observed)).toEqual([kind]);
  });

  it.each<Partial<JobEventDraft>>([
    { type: 'execution.failed', code: 'exit-code' },
    { type: 'execution.cancelled', code: 'cancelled' },
    { type: 'contract.declined', code: 'NOT_VERIFIED' },
    { type: 'contract.declined', code: 'LOCK_EXPIRED' },
    { type: 'contract.declined', code: 'BID_EXPIRED' },
    { type: 'lock.declined', code: 'LOCK_EXPIRED' },
    { type: 'lock.declined', code: 'BID_EXPIRED' },
    { type: 'lock.timeout', code: 'INTERNAL' },
    { type: 'lock.acquired' },
    { type: 'bid.refused', code: 'OVER_BUDGET' },
  ])('is not the matter of %j', (event) => {
    expect(said(event, committed)).toEqual([]);
  });

  it('is not the fault of a program, however that ended', () => {
    const kinds = exitReasons.map((exitReason) => {
      const running = executionOf(0, 1, PROVIDER, observedAs.running(), { contractId: 'contract' });
      const item = itemOf('Failed', { exitReason });
      const change = servingChange(item, running, contractOf('contract'), 'none', NOW);
      return [
        exitReason,
        ...behaviourEventsIn(change?.events ?? [], change?.executions ?? [], 0).map(({ kind }) => kind),
      ];
    });
    expect(kinds.filter((said) => said.length > 1)).toEqual([
      ['requester-away', 'declined-after-bid'],
      ['lost', 'lost-execution'],
      ['internal', 'lost-execution'],
    ]);
  });

  it('is not judged by negotiations that this node broke off by being started anew', () => {
    const later = NOW * 2;
    expect(said({ type: 'lock.timeout', code: 'NEGOTIATION_LOST' }, uncommitted, later)).toEqual([]);
    expect(said({ type: 'contract.declined', code: 'NEVER' }, uncommitted, later)).toEqual([]);
    expect(said({ type: 'execution.lost', code: 'lost' }, uncommitted, later)).toEqual([]);
    expect(said({ type: 'execution.lost', code: 'lost' }, committed, later)).toEqual(['lost-execution']);
  });

  it('is nobody’s where an event names no provider or no execution that is known', () => {
    const [execution] = [executionOf(0, 1, PROVIDER, committed)];
    const event = { type: 'execution.lost' as const, at: NOW, code: 'lost' };
    expect(behaviourEventsIn([{ ...event, executionId: execution.id }], [execution], 0)).toEqual([]);
    expect(behaviourEventsIn([{ ...event, provider: PROVIDER, executionId: 'x' }], [execution], 0)).toEqual(
      [],
    );
  });

  it('is bad when the bytes of a result are not what was promised', () => {
    const running = executionOf(0, 1, PROVIDER, observedAs.running(), {
      desired: 'Running',
      contractId: 'contract',
    });
    const item = itemOf('Failed', { exitReason: 'lost' });
    const kindOf = (result: 'bad' | 'none'): readonly string[] => {
      const change = servingChange(item, running, contractOf('contract'), result, NOW);
      return behaviourEventsIn(change?.events ?? [], change?.executions ?? [], 0).map(({ kind }) => kind);
    };
    expect(kindOf('bad')).toEqual(['bad-result']);
    expect(kindOf('none')).toEqual(['lost-execution']);
  });
});
