import { beforeEach, describe, expect, it } from 'vitest';
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
let book: LiveExecutions;

const TASK = { engine: 'wasm', version: 1, run: 1, state: { pid: 7 } };
const ID = itemOf('BidAccepted').executionId;

function executionAs(
  state: ProviderExecution['item']['state'],
  changes: Partial<ProviderExecution> = {},
): ProviderExecution {
  return {
    item: itemOf(state, { sequence: 1 }),
    requester: REQUESTER,
    requesterRecord: Uint8Array.of(1),
    jobId: 'job',
    lockId: 'lock',
    invocation: INVOCATION,
    acceptedAt: NOW,
    settled: false,
    ...changes,
  };
}

beforeEach(() => {
  clock = new FakeClock();
  store = new ScriptedProviderStore();
  book = new LiveExecutions(store, clock, () => 0);
});

describe('the execution book', () => {
  it('goes its way, each step on disk with a higher sequence', async () => {
    book.add(executionAs('BidAccepted'));
    await book.begin(ID, TASK, NOW + 1);
    expect(store.executions.get(ID)).toMatchObject({
      task: TASK,
      item: { state: 'Running', startedAt: NOW + 1, sequence: 2 },
    });
    await book.move(ID, { state: 'Publishing', resultCid: 'cid' }, { leases: [] });
    expect(book.get(ID)?.item).toMatchObject({
      state: 'Publishing',
      resultCid: 'cid',
      startedAt: NOW + 1,
      sequence: 3,
    });
    expect(store.commits).toHaveLength(2);
  });

  it('serves a requester from the start of its work until that is settled or forgotten', async () => {
    const another = itemOf('Running', { executionId: 'other.v1.p0r0.a1', contractId: 'other' });
    book.add(executionAs('BidAccepted'));
    expect(book.serves(REQUESTER)).toBe(false);
    await book.begin(ID, TASK, NOW + 1);
    book.add(executionAs('Running', { item: another }));
    expect([book.serves(REQUESTER), book.serves('another')]).toEqual([true, false]);
    await book.settle(ID, {});
    expect(book.serves(REQUESTER)).toBe(true);
    await book.forget(another.executionId);
    expect(book.serves(REQUESTER)).toBe(false);
  });

  it('keeps of a program that is over what it has in the content store, and no more', async () => {
    const inputs = [{ target: '/data', content: { cid: 'data', size: 3 } }];
    const engine = { ...INVOCATION.engine, args: ['a'], env: { A: 'b' }, stdin: 'text' };
    book.add(executionAs('BidAccepted', { invocation: { ...INVOCATION, engine, inputs } }));
    await book.begin(ID, TASK, NOW);
    expect(book.get(ID)?.invocation.engine).toEqual(engine);
    await book.move(ID, { state: 'Failed' });
    const bare = { ...INVOCATION.engine, args: [], env: {}, stdin: '' };
    expect(store.executions.get(ID)?.invocation).toMatchObject({ engine: bare, inputs });
  });

  it('shows a change only when it is on disk', async () => {
    book.add(executionAs('BidAccepted'));
    const opened = Promise.withResolvers<void>();
    store.gate = opened.promise;
    const moving = book.move(ID, { state: 'Failed' });
    await clock.settle();
    expect(book.get(ID)?.item.state).toBe('BidAccepted');
    opened.resolve();
    await moving;
    expect(book.get(ID)?.item.state).toBe('Failed');
  });

  it('stays as it is when the disk refuses, and waits for one that is busy', async () => {
    book.add(executionAs('BidAccepted'));
    store.failures.push(new CodedError('STORE_FAILED', 'full'));
    await expect(book.move(ID, { state: 'Failed' })).rejects.toThrow('full');
    expect(book.get(ID)?.item.state).toBe('BidAccepted');
    store.failures.push(new CodedError('STORE_BUSY', 'busy'), new CodedError('STORE_BUSY', 'busy'));
    await clock.runUntilSettled(book.move(ID, { state: 'Failed' }), 1000);
    expect(book.get(ID)?.item.state).toBe('Failed');
  });

  const states = ['BidAccepted', 'Running', 'Publishing', 'Failed', 'Cancelled'] as const;
  const wrong = states.flatMap((from) =>
    states.filter((to) => !SERVING_ARROWS[from].includes(to)).map((to) => [from, to] as const),
  );
  it.each(wrong)('has no arrow from %s to %s', async (from, to) => {
    book.add(executionAs(from));
    await expect(book.move(ID, { state: to })).rejects.toMatchObject({ code: 'SERVING_TRANSITION' });
    expect(store.commits).toEqual([]);
  });

  it('cuts messages that no list would take', async () => {
    book.add(executionAs('Running'));
    await book.move(ID, { state: 'Failed', message: 'x'.repeat(5000) });
    expect(book.get(ID)?.item.message).toHaveLength(1000);
  });

  it('finds by contract, by requester, and what still works', () => {
    book.add(executionAs('Running'));
    book.add({
      ...executionAs('Publishing'),
      item: itemOf('Publishing', { executionId: 'e2', contractId: 'c2' }),
    });
    book.add({
      ...executionAs('Failed', { settled: true }),
      item: itemOf('Failed', { executionId: 'e3', contractId: 'c3' }),
    });
    book.add({
      ...executionAs('BidAccepted', { requester: 'another' }),
      item: itemOf('BidAccepted', { executionId: 'e4', contractId: 'c4' }),
    });
    expect(book.byContract('c2')?.item.executionId).toBe('e2');
    expect(book.byContract('none')).toBeUndefined();
    expect(book.unsettledOf(REQUESTER).map(({ item }) => item.executionId)).toEqual([ID, 'e2']);
    expect(book.liveCount()).toBe(2);
    expect(states.filter(isWorkOver)).toEqual(['Publishing', 'Failed', 'Cancelled']);
  });

  it('forgets in memory and on disk', async () => {
    book.add(executionAs('Failed'));
    await book.settle(ID, {});
    expect(book.get(ID)?.settled).toBe(true);
    await book.forget(ID);
    expect(book.get(ID)).toBeUndefined();
    expect(book.byContract('contract')).toBeUndefined();
    expect(store.executions.size).toBe(0);
    await expect(book.move(ID, { state: 'Failed' })).rejects.toMatchObject({ code: 'EXECUTION_UNKNOWN' });
  });
});
