import { refusalSentence } from '../../../../src/words/refusal-words.ts';
import { providerExecutionOf } from '../../fakes/provider-executions.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Lease } from '../../../../src/domain/market/lock.ts';
import type { Desired, ServingItem, ServingList } from '../../../../src/domain/market/serving.ts';
import { CodedError, codeOf } from '../../../../src/lib/coded-error.ts';
import { silentLogger } from '../../../../src/lib/logger.ts';
import { createProvider, type Provider } from '../../../../src/provider/index.ts';
import { defaultProviderLimits } from '../../../../src/provider/options.ts';
import type { ProviderExecution, TaskHandle } from '../../../../src/provider/ports.ts';
import { FakeClock } from '../../../simulation/fake-clock.ts';
import { SeededRandom } from '../../../simulation/seeded-random.ts';
import { EXECUTION, ONBOARDED, providerOptions, TRAITS } from '../bidding/bidding-desk.ts';
import { contractOf, evidence, itemOf, notaryOf, REQUESTER, requestOf } from '../../fakes/market.ts';
import { openTestStore, type TestStore } from '../../fakes/stores.ts';
import { ScriptedContent, ScriptedDriver, ScriptedFolders } from './workshop.ts';
import { plainCalendar } from '../../fakes/plain-calendar.ts';

const HANDLE: TaskHandle = { engine: 'wasm', version: 1, run: 1, state: 'of an earlier life' };

let clock: FakeClock;
let stored: TestStore;
let driver: ScriptedDriver;
let content: ScriptedContent;
let folders: ScriptedFolders;
let reports: ServingList[];
let wanted: Desired;
let reachable: boolean;
let provider: Provider;

beforeEach(async () => {
  clock = new FakeClock();
  stored = await openTestStore(clock);
  driver = new ScriptedDriver();
  content = new ScriptedContent();
  folders = new ScriptedFolders();
  reports = [];
  wanted = 'run';
  reachable = true;
  provider = newProvider();
});

afterEach(async () => {
  await clock.runUntilSettled(provider.stop(), 10_000);
  await clock.runUntilSettled(stored.store.stop(), 10_000);
});

function newProvider(): Provider {
  return createProvider(providerOptions(), {
    clock,
    calendar: plainCalendar,
    random: new SeededRandom('provider'),
    logger: silentLogger,
    notary: notaryOf('provider'),
    refusalSentence,
    store: stored.store.provider,
    strikes: stored.store.strikes.againstRequesters,
    notes: stored.store.meta,
    link: {
      peerRecord: () => Uint8Array.of(2),
      isConnected: () => true,
      report: async (_requester, _record, { value }) => {
        if (!reachable) throw new CodedError('PEER_UNREACHABLE', 'not there');
        reports.push(value);
        const desired = value.items.map(({ executionId, attempt }) => ({
          executionId,
          attempt,
          desired: wanted,
        }));
        return { number: value.number, desired };
      },
    },
    content,
    disk: { freeBytes: async () => undefined },
    folders,
    drivers: [driver],
    check: { check: async () => ({ ok: true }) },
    traits: { peerId: 'provider', ...TRAITS },
    machine: ONBOARDED,
    onboarded: ONBOARDED,
  });
}

function leaseAs(state: Lease['state'], changes: Partial<Lease> = {}): Lease {
  return {
    lockId: 'lock',
    holder: REQUESTER,
    jobId: 'job',
    executionId: EXECUTION,
    resources: { cpuMillis: 500, memoryBytes: 1, diskBytes: 1, gpus: [] },
    version: 5,
    acquiredAt: clock.nowMs(),
    ttlMs: 3_600_000,
    state,
    ...changes,
  };
}

function executionAs(item: ServingItem, changes: Partial<ProviderExecution> = {}): ProviderExecution {
  return providerExecutionOf(item, clock.nowMs(), changes);
}

/** What an earlier life of this provider left on disk. */
async function leave(leases: readonly Lease[], executions: readonly ProviderExecution[]): Promise<void> {
  const contracts = executions.map(({ item }) =>
    contractOf(item.contractId, { providerSignature: Uint8Array.of(1) }, { executionId: item.executionId }),
  );
  await clock.runUntilSettled(stored.store.provider.commit({ leases, executions, contracts }), 1000);
}

async function start(): Promise<void> {
  await clock.runUntilSettled(provider.start(), 10_000);
  await clock.advanceBy(50);
}

async function onDisk() {
  return await clock.runUntilSettled(stored.store.provider.load(), 1000);
}

describe('a provider that comes back', () => {
  it('frees locks that became no contract', async () => {
    await leave([leaseAs('held'), leaseAs('committed', { lockId: 'stray' })], []);
    await start();
    expect(provider.leases()).toEqual([]);
    expect((await onDisk()).leases).toEqual([]);
    expect(provider.pools().free).toEqual(ONBOARDED);
  });

  it('never gives a fencing version twice', async () => {
    await leave([leaseAs('held')], []);
    await start();
    const bid = await clock.runUntilSettled(
      provider.handler.answer(evidence('bid-request', requestOf(), REQUESTER)),
      1000,
    );
    if (bid.kind !== 'bid') throw new Error('no bid');
    const request = { requestId: 'round-1', bidId: bid.bid.value.bidId, executionId: EXECUTION, attempt: 1 };
    await clock.runUntilSettled(
      provider.handler.lock(REQUESTER, evidence('job-request', request, REQUESTER), requestOf()),
      1000,
    );
    expect(provider.leases()).toMatchObject([{ version: 6 }]);
  });

  it('ends leftover children and folders before anything else', async () => {
    folders.present.add('old');
    await leave([leaseAs('committed')], [executionAs(itemOf('Running'), { task: HANDLE })]);
    await start();
    expect(driver.destroyed).toEqual([HANDLE]);
    expect(folders.swept).toBe(1);
    expect(driver.runs).toEqual([]);
  });

  it('takes up a task that outlived it: with its lock, its folder and its one run', async () => {
    driver.outliving.push(HANDLE.state);
    folders.present.add('old');
    await leave([leaseAs('committed')], [executionAs(itemOf('Running', { sequence: 4 }), { task: HANDLE })]);
    await start();
    expect(driver.destroyed).toEqual([]);
    expect(folders.present).toEqual(new Set([EXECUTION]));
    expect(provider.leases()).toMatchObject([{ lockId: 'lock', state: 'committed' }]);
    expect(reports.at(-1)?.items).toMatchObject([{ state: 'Running', sequence: 4 }]);
    expect(driver.runs).toHaveLength(1);
    driver.runs[0]?.end({ exitCode: 0 });
    await clock.advanceBy(100);
    expect(reports.at(-1)?.items).toMatchObject([{ state: 'Publishing', exitReason: 'completed' }]);
    expect(driver.destroyed).toEqual([HANDLE]);
    expect(provider.leases()).toEqual([]);
  });

  it('ends a task that outlived its lock', async () => {
    driver.outliving.push(HANDLE.state);
    await leave([], [executionAs(itemOf('Running'), { task: HANDLE })]);
    await start();
    expect(driver.runs[0]?.stopped).toBe(true);
    expect(driver.destroyed).toContainEqual(HANDLE);
    expect(reports[0]?.items).toMatchObject([{ state: 'Failed', exitReason: 'lost' }]);
  });

  it.each(['recover', 'leftovers'] as const)('is not held up by a driver that fails at %s', async (call) => {
    driver[call] = (): Promise<never> => Promise.reject(new Error('the daemon is not there'));
    await leave([leaseAs('committed')], [executionAs(itemOf('Running'), { task: HANDLE })]);
    await start();
    expect(reports[0]?.items).toMatchObject([{ state: 'Failed', exitReason: 'lost' }]);
  });

  it('loses what ran on an engine that is not here any more', async () => {
    const other = { ...HANDLE, engine: 'gone' };
    await leave([leaseAs('committed')], [executionAs(itemOf('Running'), { task: other })]);
    await start();
    expect(driver.destroyed).toEqual([]);
    expect(reports[0]?.items).toMatchObject([{ state: 'Failed', exitReason: 'lost' }]);
  });

  it('what was running is lost, its capacity free, and its requester told', async () => {
    await leave([leaseAs('committed')], [executionAs(itemOf('Running', { sequence: 4 }))]);
    await start();
    expect(provider.leases()).toEqual([]);
    expect(reports[0]?.items).toMatchObject([{ state: 'Failed', exitReason: 'lost', sequence: 5 }]);
    expect((await onDisk()).executions[0]?.item.state).toBe('Failed');
    wanted = 'stop';
    await clock.advanceBy(1100);
    expect((await onDisk()).executions).toEqual([]);
  });

  it('what a program had printed before it was cut short is the result of its attempt', async () => {
    const { executionId } = itemOf('Running');
    folders.left.set(executionId, 'as far as it came');
    await leave([leaseAs('committed')], [executionAs(itemOf('Running'))]);
    await start();
    expect(content.imported).toEqual([['stdout', 'stderr']]);
    expect(content.pins).toEqual(['result for contract']);
    expect(reports[0]?.items).toMatchObject([
      { state: 'Failed', exitReason: 'lost', resultCid: 'result', resultBytes: 10 },
    ]);
  });

  it('what a program had printed does not hold up the start where it cannot be kept', async () => {
    folders.left.set(itemOf('Running').executionId, 'as far as it came');
    content.importing = Promise.reject(new CodedError('QUOTA_EXCEEDED', 'full'));
    content.importing.catch(() => {});
    await leave([leaseAs('committed')], [executionAs(itemOf('Running'))]);
    await start();
    expect(reports[0]?.items).toMatchObject([{ state: 'Failed', exitReason: 'lost' }]);
    expect(reports[0]?.items[0]).not.toHaveProperty('resultCid');
  });

  it('what was accepted and had not started is started once', async () => {
    await leave([leaseAs('committed')], [executionAs(itemOf('BidAccepted', { sequence: 1 }))]);
    await start();
    expect(driver.runs).toHaveLength(1);
    expect(provider.leases()).toMatchObject([{ lockId: 'lock', state: 'committed' }]);
    await clock.advanceBy(5000);
    expect(driver.runs).toHaveLength(1);
    expect(reports.at(-1)?.items).toMatchObject([{ state: 'Running' }]);
  });

  it('what may have started is not started again', async () => {
    const noted = executionAs(itemOf('BidAccepted', { sequence: 1 }), { task: HANDLE });
    await leave([leaseAs('committed')], [noted]);
    await start();
    expect(driver.runs).toEqual([]);
    expect(reports[0]?.items).toMatchObject([{ state: 'Failed', exitReason: 'lost' }]);
    expect((await onDisk()).leases).toEqual([]);
  });

  it('what has no capacity any more is lost', async () => {
    const large = leaseAs('committed', { resources: { ...ONBOARDED, cpuMillis: ONBOARDED.cpuMillis + 1 } });
    await leave([large], [executionAs(itemOf('BidAccepted', { sequence: 1 }))]);
    await start();
    expect(driver.runs).toEqual([]);
    expect(reports[0]?.items).toMatchObject([{ state: 'Failed', exitReason: 'lost' }]);
    expect((await onDisk()).leases).toEqual([]);
  });

  it('what is over is reported until its requester has it', async () => {
    reachable = false;
    const done = executionAs(itemOf('Publishing', { resultCid: 'result', sequence: 3 }));
    await leave([], [done]);
    await start();
    await clock.advanceBy(20_000);
    expect((await onDisk()).executions).toHaveLength(1);
    reachable = true;
    provider.handler.peerConnected(REQUESTER);
    await clock.settle();
    expect(reports.at(-1)?.items).toMatchObject([{ state: 'Publishing', sequence: 3 }]);
    expect(await provider.handler.mayRead(REQUESTER, 'result', 'contract')).toBe(true);
    expect(await provider.handler.mayRead('another', 'result', 'contract')).toBe(false);
    wanted = 'done';
    await clock.advanceBy(1100);
    expect((await onDisk()).executions).toEqual([]);
    const contract = await clock.runUntilSettled(stored.store.provider.contract('contract'), 1000);
    expect(contract?.state).toBe('COMPLETED');
  });

  it('knows again who kept a contract with it', async () => {
    await leave([], [executionAs(itemOf('Publishing', { resultCid: 'result' }))]);
    wanted = 'done';
    expect(provider.handler.requesters.standing(REQUESTER)).toBe('stranger');
    await start();
    expect(provider.handler.requesters.standing(REQUESTER)).toBe('established');
    await clock.runUntilSettled(provider.stop(), 10_000);
    provider = newProvider();
    expect(provider.handler.requesters.standing(REQUESTER)).toBe('stranger');
    await start();
    expect(provider.handler.requesters.standing(REQUESTER)).toBe('established');
    expect(provider.handler.requesters.standing('another')).toBe('stranger');
  });

  it('what was settled and not yet forgotten is forgotten', async () => {
    await leave([], [executionAs(itemOf('Publishing'), { settled: true })]);
    content.pins.push('result for contract');
    await start();
    expect((await onDisk()).executions).toEqual([]);
    expect(content.pins).toEqual([]);
    expect(reports).toEqual([]);
  });

  it('says nothing before it is back, and takes nothing after it has stopped', async () => {
    const request = evidence('bid-request', requestOf(), REQUESTER);
    expect(await provider.handler.answer(request)).toMatchObject({ kind: 'silence' });
    await expect(provider.handler.contract(REQUESTER, 'contract')).rejects.toMatchObject({
      code: 'NOT_STARTED',
    });
    await leave([leaseAs('committed')], [executionAs(itemOf('BidAccepted', { sequence: 1 }))]);
    await start();
    await clock.runUntilSettled(provider.stop(), 10_000);
    expect((await onDisk()).executions[0]?.item).toMatchObject({ state: 'Failed', exitReason: 'lost' });
    expect((await onDisk()).leases).toEqual([]);
    expect(await provider.handler.answer(request)).toMatchObject({ kind: 'silence' });
    const before = reports.length;
    await clock.advanceBy(20_000);
    expect(reports.length).toBe(before);
  });
});

describe('a provider that is asked for contracts', () => {
  /** All at once; each is answered with its kind or refused with a code. */
  const ask = (questions: readonly { readonly asker: string; readonly contractId: string }[]) =>
    clock.runUntilSettled(
      Promise.all(
        questions.map(({ asker, contractId }) =>
          provider.handler.contract(asker, contractId).then(
            ({ kind }) => kind,
            (error: unknown) => codeOf(error),
          ),
        ),
      ),
      1000,
    );

  it('signs and writes for strangers so much and no more, and answers the requester of its work all the same', async () => {
    await leave([leaseAs('committed')], [executionAs(itemOf('BidAccepted'))]);
    await start();
    const { questionsPerAsker, questionsInTotal } = defaultProviderLimits.admission;
    const answers = await ask(
      Array.from({ length: questionsInTotal.burst + 100 }, (_, index) => ({
        asker: `stranger-${Math.floor(index / questionsPerAsker.burst)}`,
        contractId: `made-up-${index}`,
      })),
    );
    expect(answers.filter((answer) => answer === 'never')).toHaveLength(questionsInTotal.burst);
    expect(answers.filter((answer) => answer === 'RATE_LIMITED')).toHaveLength(100);
    expect(await ask([{ asker: REQUESTER, contractId: 'contract' }])).toEqual(['accepted']);
  });
});

describe('a drained provider', () => {
  it('is so after a restart, and not once it was undrained', async () => {
    for (const draining of [true, false]) {
      await start();
      await clock.runUntilSettled(provider.setDraining(draining), 10_000);
      await clock.runUntilSettled(provider.stop(), 10_000);
      provider = newProvider();
      await start();
      expect([provider.draining, provider.describe()?.draining]).toEqual([draining, draining]);
      const request = evidence('bid-request', requestOf(), REQUESTER);
      const { kind } = await clock.runUntilSettled(provider.handler.answer(request), 10_000);
      expect(kind).toBe(draining ? 'decline' : 'bid');
      await clock.runUntilSettled(provider.stop(), 10_000);
      provider = newProvider();
    }
  });
});
