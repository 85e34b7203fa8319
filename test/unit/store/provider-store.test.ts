import type { ContractReason } from '../../../src/domain/market/contract.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../../src/store/index.ts';
import { defaultStoreLimits, type StoreLimits } from '../../../src/store/options.ts';
import type { StoreFixture } from '../../suites/job-store.suite.ts';
import * as make from './market-records.ts';
import { levelFixture, memoryFixture } from './store-fixtures.ts';

const NOW = 1_000_000;

describe.each([
  ['LevelDB', levelFixture],
  ['the memory disk', memoryFixture],
])('the provider store on %s', (_name, setUp) => {
  let fixture: StoreFixture;
  let store: Store;

  const reopen = async (limits: Partial<StoreLimits> = {}): Promise<void> => {
    await store.stop();
    store = await fixture.open({ ...defaultStoreLimits, ...limits });
  };

  beforeEach(async () => {
    fixture = await setUp();
    fixture.setNow(NOW);
    store = await fixture.open(defaultStoreLimits);
  });

  afterEach(async () => {
    await store.stop();
    await fixture.remove();
  });

  it('starts with nothing', async () => {
    expect(await store.provider.load()).toEqual({ leases: [], executions: [], highestLockVersion: 0 });
    for (const id of ['none', '', 'x'.repeat(3000), '\ud800']) {
      expect(await store.provider.contract(id)).toBeUndefined();
      expect(await store.provider.never(id)).toBeUndefined();
      expect(await store.provider.answer(id)).toBeUndefined();
    }
  });

  it('loads live leases and executions that are not forgotten', async () => {
    await store.provider.commit({
      leases: [make.lease('a', 1), make.lease('b', 2, 'committed'), make.lease('c', 3)],
      executions: [make.providerExecution('x'), make.providerExecution('y')],
    });
    await store.provider.commit({
      leases: [make.lease('a', 1, 'released'), make.lease('c', 3, 'expired')],
      forgottenExecutionIds: ['x', 'unknown'],
    });
    for (const again of [false, true]) {
      if (again) await reopen();
      expect(await store.provider.load()).toEqual({
        leases: [make.lease('b', 2, 'committed')],
        executions: [make.providerExecution('y')],
        highestLockVersion: 3,
      });
    }
  });

  it('never goes back in lock versions, whatever became of the leases', async () => {
    await store.provider.commit({ leases: [make.lease('a', 7), make.lease('b', 5)] });
    await store.provider.commit({ leases: [make.lease('a', 7, 'released'), make.lease('b', 5, 'expired')] });
    await store.provider.commit({ leases: [make.lease('c', 2)] });
    await reopen();
    expect(await store.provider.load()).toMatchObject({ highestLockVersion: 7, leases: [{ lockId: 'c' }] });
  });

  it('keeps contracts and nevers, apart from those of the requester', async () => {
    const accepted = make.contract('j', 'c', { state: 'ACCEPTED' });
    await store.provider.commit({ contracts: [accepted], nevers: [make.never('n')] });
    await reopen();
    expect(await store.provider.contract('c')).toEqual(accepted);
    expect(await store.provider.never('n')).toEqual(make.never('n'));
    expect(await store.provider.never('c')).toBeUndefined();
    expect(await store.jobs.contract('c')).toBeUndefined();
  });

  it('forgets ended contracts and nevers when they are old, some at a time', async () => {
    await reopen({ pruneScan: 2 });
    const ended = (id: string, updatedAt: number, state: 'TERMINATED' | 'ACTIVE') =>
      make.contract('j', id, { state, updatedAt });
    await store.provider.commit({
      contracts: [
        ended('c1', 10, 'TERMINATED'),
        ended('c2', 10, 'ACTIVE'),
        ended('c3', NOW, 'TERMINATED'),
        ended('c4', 10, 'TERMINATED'),
      ],
      nevers: [make.never('n1')],
    });
    fixture.setNow(NOW + 50);
    await store.provider.commit({ nevers: [make.never('n2')] });
    const calls: { forgotten: number; more: boolean }[] = [];
    for (let call = 0; call < 3; call += 1)
      calls.push(await store.provider.pruneEnded({ endedContractsMs: 50, neverBegunMs: 50, neversMs: 50 }));
    expect(calls.map(({ forgotten }) => forgotten)).toEqual([2, 2, 0]);
    expect(calls.map(({ more }) => more)).toEqual([true, true, false]);
    const there = await Promise.all(['c1', 'c2', 'c3', 'c4'].map((id) => store.provider.contract(id)));
    expect(there.map((contract) => contract?.contractId)).toEqual([undefined, 'c2', undefined, undefined]);
    expect(await store.provider.never('n1')).toBeUndefined();
    expect(await store.provider.never('n2')).toBeDefined();
  });

  it('forgets contracts whose work had not begun sooner, never later', async () => {
    await reopen();
    const ended = (id: string, why?: ContractReason) =>
      make.contract('j', id, {
        state: 'TERMINATED',
        updatedAt: NOW,
        ...(why === undefined ? {} : { why }),
      });
    const neverBegun = { code: 'never-begun', data: {} } as const;
    await store.provider.commit({
      contracts: [ended('c1', neverBegun), ended('c2', make.told('else')), ended('c3')],
    });
    fixture.setNow(NOW + 51);
    const prune = (endedContractsMs: number, neverBegunMs: number) =>
      store.provider.pruneEnded({ endedContractsMs, neverBegunMs, neversMs: 1000 });
    expect(await prune(100, 50)).toMatchObject({ forgotten: 1 });
    expect(await store.provider.contract('c1')).toBeUndefined();
    await store.provider.commit({ contracts: [ended('c1', neverBegun)] });
    expect(await prune(50, 100)).toMatchObject({ forgotten: 3 });
  });

  it('takes no more nevers than it may keep, until some are forgotten, also over a restart', async () => {
    await reopen({ nevers: 2 });
    await store.provider.commit({ nevers: [make.never('n1')] });
    await store.provider.commit({ nevers: [make.never('n2')] });
    for (const again of [false, true]) {
      if (again) await reopen({ nevers: 2 });
      const refused = store.provider.commit({ nevers: [make.never('n3')], leases: [make.lease('l', 1)] });
      await expect(refused).rejects.toMatchObject({ code: 'NEVERS_FULL' });
      expect(await store.provider.never('n3')).toBeUndefined();
      expect((await store.provider.load()).leases).toEqual([]);
    }
    await store.provider.commit({ leases: [make.lease('l', 1)] });
    fixture.setNow(NOW + 51);
    expect(
      await store.provider.pruneEnded({ endedContractsMs: 1000, neverBegunMs: 1000, neversMs: 50 }),
    ).toEqual({ forgotten: 2, more: false });
    await store.provider.commit({ nevers: [make.never('n3')] });
    expect(await store.provider.never('n3')).toEqual(make.never('n3'));
  });

  it('keeps the newest answers up to the bound', async () => {
    await reopen({ answers: 3 });
    const ids = ['a', 'b', 'c', 'd', 'e'];
    const there = async (): Promise<string> => {
      const found = await Promise.all(ids.map((id) => store.provider.answer(id)));
      return found.map((answer) => answer?.requestId ?? '-').join('');
    };
    for (const [index, id] of ['a', 'b', 'c'].entries()) {
      await store.provider.commit({ answers: [make.answer(id, NOW + index)] });
    }
    await store.provider.commit({ answers: [make.answer('a', NOW + 3)] });
    expect(await there()).toBe('abc--');
    await store.provider.commit({ answers: [make.answer('d', NOW + 4)] });
    expect(await there()).toBe('a-cd-');
    await reopen({ answers: 3 });
    await store.provider.commit({ forgottenRequestIds: ['d', 'unknown'] });
    await store.provider.commit({ answers: [make.answer('b', NOW + 5), make.answer('e', NOW + 6)] });
    expect(await there()).toBe('ab--e');
    expect(await store.provider.answer('a')).toEqual(make.answer('a', NOW + 3));
    await reopen({ answers: 1 });
    await store.provider.commit({ answers: [make.answer('c', NOW + 7)] });
    expect(await there()).toBe('--c--');
  });

  it('does not remember answers beyond their age', async () => {
    await reopen({ answerAgeMs: 100 });
    await store.provider.commit({ answers: [make.answer('a', NOW)] });
    fixture.setNow(NOW + 100);
    expect(await store.provider.answer('a')).toBeDefined();
    fixture.setNow(NOW + 101);
    expect(await store.provider.answer('a')).toBeUndefined();
    await store.provider.commit({ answers: [make.answer('b', NOW + 101)] });
    fixture.setNow(NOW);
    expect(await store.provider.answer('a')).toBeUndefined();
    expect(await store.provider.answer('b')).toBeDefined();
  });

  it('changes nothing when the queue refuses', async () => {
    await reopen({ commitOperations: 4, answers: 2 });
    await store.provider.commit({ answers: [make.answer('a', NOW), make.answer('b', NOW + 1)] });
    const tooMuch = {
      leases: [make.lease('l', 9)],
      answers: [make.answer('c', NOW + 2), make.answer('d', NOW + 3)],
    };
    await expect(store.provider.commit(tooMuch)).rejects.toMatchObject({ code: 'COMMIT_TOO_LARGE' });
    await reopen({ answers: 2 });
    expect(await store.provider.answer('a')).toBeDefined();
    expect(await store.provider.load()).toMatchObject({ leases: [], highestLockVersion: 0 });
    await store.provider.commit({ leases: [make.lease('l', 9)] });
    expect((await store.provider.load()).highestLockVersion).toBe(9);
  });
});
