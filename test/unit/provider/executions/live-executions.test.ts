import { beforeEach, describe, expect, it } from 'vitest';
import { providerExecutionOf } from '../../fakes/provider-executions.ts';
import { CodedError } from '../../../../src/lib/coded-error.ts';
import {
  LiveExecutions,
  isWorkOver,
  SERVING_ARROWS,
} from '../../../../src/provider/executions/live-executions.ts';
import type { ProviderExecution } from '../../../../src/provider/ports.ts';
import { FakeClock } from '../../../simulation/fake-clock.ts';
import { itemOf, NOW, REQUESTER } from '../../fakes/market.ts';
import { ScriptedProviderStore } from '../../fakes/provider-store.ts';
import { INVOCATION } from '../bidding/bidding-desk.ts';

let clock: FakeClock;
let store: ScriptedProviderStore;
let live: LiveExecutions;

const TASK = { engine: 'wasm', version: 1, run: 1, state: { pid: 7 } };
const ID = itemOf('BidAccepted').executionId;

function executionAs(
  state: ProviderExecution['item']['state'],
  changes: Partial<ProviderExecution> = {},
): ProviderExecution {
  return providerExecutionOf(itemOf(state, { sequence: 1 }), NOW, changes);
}

beforeEach(() => {
  clock = new FakeClock();
  store = new ScriptedProviderStore();
  live = new LiveExecutions(store, clock, () => 0);
});

describe('live executions', () => {
  it('goes its way, each step on disk with a higher sequence', async () => {
    live.add(executionAs('BidAccepted'));
    await live.begin(ID, TASK, NOW + 1);
    expect(store.executions.get(ID)).toMatchObject({
      task: TASK,
      item: { state: 'Running', startedAt: NOW + 1, sequence: 2 },
    });
    await live.move(ID, { state: 'Publishing', resultCid: 'cid' }, { leases: [] });
    expect(live.get(ID)?.item).toMatchObject({
      state: 'Publishing',
      resultCid: 'cid',
      startedAt: NOW + 1,
      sequence: 3,
    });
    expect(store.commits).toHaveLength(2);
  });

  it('serves a requester from the start of its work until that is settled or forgotten', async () => {
    const another = itemOf('Running', { executionId: 'other.v1.p0r0.a1', contractId: 'other' });
    live.add(executionAs('BidAccepted'));
    expect(live.serves(REQUESTER)).toBe(false);
    await live.begin(ID, TASK, NOW + 1);
    live.add(executionAs('Running', { item: another }));
    expect([live.serves(REQUESTER), live.serves('another')]).toEqual([true, false]);
    await live.settle(ID, {});
    expect(live.serves(REQUESTER)).toBe(true);
    await live.forget(another.executionId);
    expect(live.serves(REQUESTER)).toBe(false);
  });

  it('keeps of a program that is over what it has in the content store, and no more', async () => {
    const inputs = [{ target: '/data', content: { cid: 'data', size: 3 } }];
    const engine = { ...INVOCATION.engine, args: ['a'], env: { A: 'b' }, stdin: 'text' };
    live.add(executionAs('BidAccepted', { invocation: { ...INVOCATION, engine, inputs } }));
    await live.begin(ID, TASK, NOW);
    expect(live.get(ID)?.invocation.engine).toEqual(engine);
    await live.move(ID, { state: 'Failed' });
    const bare = { ...INVOCATION.engine, args: [], env: {}, stdin: '' };
    expect(store.executions.get(ID)?.invocation).toMatchObject({ engine: bare, inputs });
  });

  it('shows a change only when it is on disk', async () => {
    live.add(executionAs('BidAccepted'));
    const opened = Promise.withResolvers<void>();
    store.gate = opened.promise;
    const moving = live.move(ID, { state: 'Failed' });
    await clock.settle();
    expect(live.get(ID)?.item.state).toBe('BidAccepted');
    opened.resolve();
    await moving;
    expect(live.get(ID)?.item.state).toBe('Failed');
  });

  it('stays as it is when the disk refuses, and waits for one that is busy', async () => {
    live.add(executionAs('BidAccepted'));
    store.failures.push(new CodedError('STORE_FAILED', 'full'));
    await expect(live.move(ID, { state: 'Failed' })).rejects.toThrow('full');
    expect(live.get(ID)?.item.state).toBe('BidAccepted');
    store.failures.push(new CodedError('STORE_BUSY', 'busy'), new CodedError('STORE_BUSY', 'busy'));
    await clock.runUntilSettled(live.move(ID, { state: 'Failed' }), 1000);
    expect(live.get(ID)?.item.state).toBe('Failed');
  });

  const states = ['BidAccepted', 'Running', 'Publishing', 'Failed', 'Cancelled'] as const;
  const wrong = states.flatMap((from) =>
    states.filter((to) => !SERVING_ARROWS[from].includes(to)).map((to) => [from, to] as const),
  );
  it.each(wrong)('has no arrow from %s to %s', async (from, to) => {
    live.add(executionAs(from));
    await expect(live.move(ID, { state: to })).rejects.toMatchObject({ code: 'SERVING_TRANSITION' });
    expect(store.commits).toEqual([]);
  });

  it('cuts messages that no list would take', async () => {
    live.add(executionAs('Running'));
    await live.move(ID, { state: 'Failed', message: 'x'.repeat(5000) });
    expect(live.get(ID)?.item.message).toHaveLength(1000);
  });

  it('finds by contract, by requester, and what still works', () => {
    live.add(executionAs('Running'));
    live.add({
      ...executionAs('Publishing'),
      item: itemOf('Publishing', { executionId: 'e2', contractId: 'c2' }),
    });
    live.add({
      ...executionAs('Failed', { settled: true }),
      item: itemOf('Failed', { executionId: 'e3', contractId: 'c3' }),
    });
    live.add({
      ...executionAs('BidAccepted', { requester: 'another' }),
      item: itemOf('BidAccepted', { executionId: 'e4', contractId: 'c4' }),
    });
    expect(live.byContract('c2')?.item.executionId).toBe('e2');
    expect(live.byContract('none')).toBeUndefined();
    expect(live.unsettledOf(REQUESTER).map(({ item }) => item.executionId)).toEqual([ID, 'e2']);
    expect(live.liveCount()).toBe(2);
    expect(states.filter(isWorkOver)).toEqual(['Publishing', 'Failed', 'Cancelled']);
  });

  it('forgets in memory and on disk', async () => {
    live.add(executionAs('Failed'));
    await live.settle(ID, {});
    expect(live.get(ID)?.settled).toBe(true);
    await live.forget(ID);
    expect(live.get(ID)).toBeUndefined();
    expect(live.byContract('contract')).toBeUndefined();
    expect(store.executions.size).toBe(0);
    await expect(live.move(ID, { state: 'Failed' })).rejects.toMatchObject({ code: 'EXECUTION_UNKNOWN' });
  });
});
