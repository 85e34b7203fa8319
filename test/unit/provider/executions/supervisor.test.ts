import { beforeEach, describe, expect, it } from 'vitest';
import { providerExecutionOf } from '../../fakes/provider-executions.ts';
import { CodedError } from '../../../../src/lib/coded-error.ts';
import { silentLogger } from '../../../../src/lib/logger.ts';
import { LiveExecutions } from '../../../../src/provider/executions/live-executions.ts';
import { Supervisor } from '../../../../src/provider/executions/supervisor.ts';
import { ResourceLedger } from '../../../../src/provider/locks/ledger.ts';
import { defaultProviderLimits } from '../../../../src/provider/options.ts';
import type { ProviderExecution } from '../../../../src/provider/ports.ts';
import { notStarted } from '../../../../src/provider/task-driver.ts';
import { Room } from '../../../../src/provider/resources/room.ts';
import { FakeClock } from '../../../simulation/fake-clock.ts';
import { INVOCATION, ONBOARDED, providerOptions } from '../bidding/bidding-desk.ts';
import { contractOf, itemOf, REQUESTER, RESOURCES } from '../../fakes/market.ts';
import { ScriptedProviderStore } from '../../fakes/provider-store.ts';
import { ScriptedContent, ScriptedDriver, ScriptedFolders } from './workshop.ts';

const ID = itemOf('BidAccepted').executionId;
const START_WITHIN_MS = 10_000;

let clock: FakeClock;
let store: ScriptedProviderStore;
let ledger: ResourceLedger;
let live: LiveExecutions;
let driver: ScriptedDriver;
let content: ScriptedContent;
let folders: ScriptedFolders;
let changed: number;
let seen: [engine: string, ms: number][];
let room: Room;
let supervisor: Supervisor;
let heardAtMs: number;
let neverBegun: string[];
let execution: ProviderExecution;

beforeEach(async () => {
  clock = new FakeClock();
  store = new ScriptedProviderStore();
  live = new LiveExecutions(store, clock, () => 0);
  driver = new ScriptedDriver();
  content = new ScriptedContent();
  folders = new ScriptedFolders();
  room = new Room({ clock, content, folders, disk: { freeBytes: async () => undefined } });
  changed = 0;
  seen = [];
  heardAtMs = clock.monotonicMs();
  neverBegun = [];
  ledger = new ResourceLedger(
    { machine: ONBOARDED, onboarded: ONBOARDED, highestVersion: 0 },
    { clock, newLockId: () => 'lock', onExpired: () => {} },
  );
  const held = ledger.hold({
    holder: REQUESTER,
    jobId: 'job',
    executionId: ID,
    requirements: RESOURCES,
    ttlMs: 1000,
  });
  if (held === undefined) throw new Error('no room');
  const lease = ledger.commit('lock', ID, 3_600_000);
  execution = providerExecutionOf(itemOf('BidAccepted', { sequence: 1 }), clock.nowMs());
  const contract = contractOf('contract', {}, { startWithinMs: START_WITHIN_MS });
  await store.commit({ leases: [lease], executions: [execution], contracts: [contract] });
  supervisor = new Supervisor(providerOptions(), {
    clock,
    chance: () => 0,
    logger: silentLogger,
    ledger,
    store,
    content,
    folders,
    drivers: [driver],
    live,
    starts: { saw: (engine, ms) => seen.push([engine, ms]) },
    room,
    onChanged: () => {
      changed += 1;
    },
    onNeverBegun: ({ requester }) => neverBegun.push(requester),
    hearing: {
      atMs: () => heardAtMs,
      heard: () => {
        heardAtMs = clock.monotonicMs();
      },
    },
  });
  live.add(execution);
});

const item = () => live.get(ID)?.item;

describe('an attempt', () => {
  it('fetches, runs, keeps the result and gives the capacity back in the same batch', async () => {
    supervisor.start(execution);
    await clock.settle();
    expect(item()).toMatchObject({ state: 'Running', startedAt: clock.nowMs() });
    expect(store.executions.get(ID)?.task).toEqual({ engine: 'wasm', version: 1, run: 1, state: 'scripted' });
    expect(store.contracts.get('contract')?.state).toBe('ACTIVE');
    expect(folders.present).toEqual(new Set([ID]));

    await driver.runs[0]?.output('stdout', Uint8Array.of(1));
    driver.runs[0]?.end({ exitCode: 0 });
    await clock.settle();
    expect(item()).toMatchObject({
      state: 'Publishing',
      exitReason: 'completed',
      exitCode: 0,
      resultCid: 'result',
      resultBytes: 10,
      finishedAt: clock.nowMs(),
    });
    expect(store.commits.at(-1)).toMatchObject({
      leases: [{ lockId: 'lock', state: 'released' }],
      executions: [{ item: { state: 'Publishing' } }],
    });
    expect(ledger.free()).toEqual(ONBOARDED);
    expect(store.leases.size).toBe(0);
    expect(content.imported[0]).toEqual(['stdout', 'stderr', 'exit.json']);
    expect(content.pins).toContain('result for contract');
    expect(folders.present.size).toBe(0);
    expect(changed).toBe(2);
  });

  it('has its time from the contract to the start remembered, and one that never starts has none', async () => {
    const fetching = Promise.withResolvers<void>();
    content.fetching = fetching.promise;
    supervisor.start(execution);
    await clock.advanceBy(300);
    expect(seen).toEqual([]);
    fetching.resolve();
    await clock.settle();
    expect(seen).toEqual([['wasm', 300]]);
    driver.runs[0]?.end({ exitCode: 0 });
    await clock.advanceBy(1000);
    expect(seen).toHaveLength(1);
  });

  it('runs once, however often it is started', async () => {
    supervisor.start(execution);
    supervisor.start(execution);
    await clock.settle();
    supervisor.start(execution);
    await clock.settle();
    expect(driver.runs).toHaveLength(1);
  });

  it.each([
    ['exit-code', 'Failed'],
    ['out-of-memory', 'Failed'],
    ['timeout', 'Failed'],
    ['cancelled', 'Cancelled'],
  ] as const)('that ends with %s is %s, and its output is kept', async (exitReason, state) => {
    supervisor.start(execution);
    await clock.settle();
    driver.runs[0]?.end({ exitReason, exitCode: 3, message: 'so' });
    await clock.settle();
    expect(item()).toMatchObject({ state, exitReason, exitCode: 3, message: 'so', resultCid: 'result' });
    expect(ledger.free()).toEqual(ONBOARDED);
  });

  it('gets its standard input as a file where that is content', async () => {
    const stdin = { cid: 'bytes', size: 5 };
    const { engine } = execution.invocation;
    supervisor.start({ ...execution, invocation: { ...execution.invocation, engine: { ...engine, stdin } } });
    await clock.settle();
    expect(content.fetched).toContain('bytes');
    expect(driver.runs[0]?.task?.stdin).toEqual({ hostPath: `/attempts/${ID}/stdin` });
  });

  it('without its inputs fails as input-unavailable', async () => {
    content.fetching = Promise.reject(new CodedError('CONTENT_INVALID', 'gone'));
    supervisor.start(execution);
    await clock.settle();
    expect(item()).toMatchObject({ state: 'Failed', exitReason: 'input-unavailable' });
    expect(item()?.message).toContain('gone');
    expect(driver.runs).toEqual([]);
    expect(ledger.free()).toEqual(ONBOARDED);
  });

  it.each([
    ['the content quota is used up', new CodedError('QUOTA_EXCEEDED', 'full'), undefined],
    ['the disk is full', new CodedError('STORE_FAILED', 'full', { data: { cause: 'ENOSPC' } }), 'ENOSPC'],
    ['the disk is read only', Object.assign(new Error('no'), { code: 'EROFS' }), 'EROFS'],
  ])('cannot keep its inputs: %s, which is no fault of the job', async (_, error, refusal) => {
    content.fetching = Promise.reject(error);
    supervisor.start(execution);
    await clock.settle();
    expect(item()).toMatchObject({ state: 'Failed', exitReason: 'internal' });
    expect(item()?.message).toContain('This provider could not keep the input');
    expect(room.seen()).toMatchObject({ expectedBytes: 0, refusal });
    expect(ledger.leases()).toEqual([]);
  });

  it('expects its inputs until they are here', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    content.fetching = promise;
    supervisor.start(execution);
    await clock.settle();
    expect(room.seen().expectedBytes).toBe(INVOCATION.engine.type === 'wasm' ? 8 : 0);
    resolve();
    await clock.settle();
    expect(room.seen().expectedBytes).toBe(0);
  });

  it('that does not start in time ends, whatever it is waiting for', async () => {
    content.fetching = new Promise(() => {});
    supervisor.start(execution);
    await clock.advanceBy(START_WITHIN_MS - 1);
    expect(item()?.state).toBe('BidAccepted');
    await clock.advanceBy(1);
    expect(item()).toMatchObject({
      state: 'Failed',
      exitReason: 'internal',
      message: 'The work did not start in time.',
    });
    expect(ledger.free()).toEqual(ONBOARDED);
  });

  it('counts the time to start from the acceptance, also after a restart', async () => {
    content.fetching = new Promise(() => {});
    await clock.advanceBy(6000);
    supervisor.start(execution);
    await clock.advanceBy(3999);
    expect(item()?.state).toBe('BidAccepted');
    await clock.advanceBy(1);
    expect(item()?.state).toBe('Failed');
  });

  describe('whose requester goes away before its inputs are here', () => {
    const LATE_MS = 3_600_000;
    const goneMs = defaultProviderLimits.awayBeforeStartMs + defaultProviderLimits.longestHeartbeatMs;

    beforeEach(async () => {
      content.fetching = new Promise(() => {});
      const contracts = [contractOf('contract', {}, { startWithinMs: LATE_MS })];
      await store.commit({ contracts });
      supervisor.start(execution);
      await clock.settle();
    });

    it('ends as requester-away within seconds, frees its capacity, and is told of', async () => {
      await clock.advanceBy(goneMs - 1);
      expect(item()?.state).toBe('BidAccepted');
      await clock.advanceBy(1);
      expect(item()).toMatchObject({ state: 'Failed', exitReason: 'requester-away' });
      expect(item()?.message).toContain('could not be reached for 15 s');
      expect(ledger.free()).toEqual(ONBOARDED);
      expect(neverBegun).toEqual([REQUESTER]);
    });

    it('goes on where the requester is heard again in time', async () => {
      await clock.advanceBy(8000);
      heardAtMs = clock.monotonicMs();
      await clock.advanceBy(goneMs - 1);
      expect(item()?.state).toBe('BidAccepted');
      await clock.advanceBy(1);
      expect(item()?.exitReason).toBe('requester-away');
    });

    it('ends as it was told before, where that came first', async () => {
      supervisor.stop(ID, { exitReason: 'cancelled', message: 'not wanted' });
      await clock.advanceBy(goneMs);
      expect(item()).toMatchObject({ state: 'Cancelled', exitReason: 'cancelled' });
      expect(neverBegun).toEqual([]);
    });
  });

  describe('whose requester is there and brings its inputs slowly', () => {
    const { inputsGraceMs, leastInputBytesPerSecond } = defaultProviderLimits;
    const SECOND_MS = 1000;
    let fetching: PromiseWithResolvers<void>;

    beforeEach(async () => {
      fetching = Promise.withResolvers();
      content.fetching = fetching.promise;
      await store.commit({ contracts: [contractOf('contract', {}, { startWithinMs: 3_600_000 })] });
      supervisor.start(execution);
      await clock.settle();
    });

    /** What came in each of so many seconds, while the requester answers all the time. */
    async function bring(seconds: number, bytes: number): Promise<void> {
      for (let second = 0; second < seconds && item()?.state === 'BidAccepted'; second += 1) {
        heardAtMs = clock.monotonicMs();
        content.brings(bytes);
        await clock.advanceBy(SECOND_MS);
      }
    }

    it.each([0, 1])(
      'ends as input-unavailable soon after the grace, with %s bytes a second',
      async (bytes) => {
        await bring(60, bytes);
        expect(item()).toMatchObject({ state: 'Failed', exitReason: 'input-unavailable' });
        expect(clock.monotonicMs()).toBeLessThanOrEqual(inputsGraceMs + 2 * SECOND_MS);
        expect(item()?.message).toContain(`${leastInputBytesPerSecond} bytes come each second`);
        expect(ledger.free()).toEqual(ONBOARDED);
        expect(neverBegun).toEqual([REQUESTER]);
      },
    );

    it('goes on for as long as they come at the pace', async () => {
      await bring(1800, leastInputBytesPerSecond);
      expect(item()?.state).toBe('BidAccepted');
      await bring(2 * (inputsGraceMs / SECOND_MS), 0);
      expect(item()?.exitReason).toBe('input-unavailable');
    });

    it('counts what comes again once', async () => {
      const broken = new CodedError('CONTENT_UNAVAILABLE', 'broke off');
      for (let tries = 0; tries < 100 && item()?.state === 'BidAccepted'; tries += 1) {
        await bring(5, leastInputBytesPerSecond);
        const { reject } = fetching;
        fetching = Promise.withResolvers();
        content.fetching = fetching.promise;
        if (item()?.state === 'BidAccepted') reject(broken);
      }
      expect(item()?.exitReason).toBe('input-unavailable');
      expect(clock.monotonicMs()).toBeLessThan(2 * inputsGraceMs);
    });

    it('is heard by what it brings, though it answers no serving list', async () => {
      for (let second = 0; second < 120; second += 1) {
        content.brings(leastInputBytesPerSecond);
        await clock.advanceBy(SECOND_MS);
      }
      expect(item()?.state).toBe('BidAccepted');
    });
  });

  it('that has its inputs needs its requester no more', async () => {
    supervisor.start(execution);
    await clock.advanceBy(3_600_000);
    expect(item()?.state).toBe('Running');
  });

  it('that has started is not ended for starting late', async () => {
    supervisor.start(execution);
    await clock.advanceBy(10 * START_WITHIN_MS);
    expect(item()?.state).toBe('Running');
  });

  it('that is stopped by its requester is Cancelled', async () => {
    supervisor.start(execution);
    await clock.settle();
    supervisor.stop(ID, { exitReason: 'cancelled', message: 'not wanted' });
    supervisor.stop(ID, { exitReason: 'timeout', message: 'later' });
    await clock.settle();
    expect(driver.runs[0]?.stopped).toBe(true);
    expect(item()).toMatchObject({ state: 'Cancelled', exitReason: 'cancelled', message: 'not wanted' });
    expect(ledger.free()).toEqual(ONBOARDED);
  });

  it('that is stopped before it started never runs', async () => {
    content.fetching = new Promise(() => {});
    supervisor.start(execution);
    supervisor.stop(ID, { exitReason: 'cancelled', message: 'not wanted' });
    await clock.settle();
    expect(item()).toMatchObject({ state: 'Cancelled', exitReason: 'cancelled' });
    expect(driver.runs).toEqual([]);
  });

  it('that ended by itself before the stop keeps its own end', async () => {
    const importing = Promise.withResolvers<void>();
    content.importing = importing.promise;
    supervisor.start(execution);
    await clock.settle();
    driver.runs[0]?.end();
    await clock.settle();
    supervisor.stop(ID, { exitReason: 'cancelled', message: 'too late' });
    importing.resolve();
    await clock.settle();
    expect(item()).toMatchObject({ state: 'Publishing', exitReason: 'completed' });
  });

  it('fails when its result cannot be kept', async () => {
    supervisor.start(execution);
    await clock.settle();
    content.importing = Promise.reject(new Error('quota'));
    driver.runs[0]?.end();
    await clock.settle();
    expect(item()).toMatchObject({ state: 'Failed', exitReason: 'internal', message: 'quota' });
  });

  it('fails when the driver itself does', async () => {
    supervisor.start(execution);
    await clock.settle();
    driver.runs[0]?.fail(new Error('broken'));
    await clock.settle();
    expect(item()).toMatchObject({ state: 'Failed', exitReason: 'internal', message: 'broken' });
  });

  it.each(['denied', 'input-unavailable'] as const)(
    'that comes to nothing before it begins ends as %s, with no result and no open folder',
    async (exitReason) => {
      driver.refusal = notStarted(exitReason, 'so');
      supervisor.start(execution);
      await clock.settle();
      expect(item()).toMatchObject({ state: 'Failed', exitReason, message: 'so' });
      expect(item()).not.toHaveProperty('resultCid');
      expect(folders.ended).toEqual([ID]);
      expect(ledger.free()).toEqual(ONBOARDED);
    },
  );

  it('brings the params of the engine that are content as files, and the others as they are', async () => {
    supervisor.start(execution);
    await clock.settle();
    expect(driver.runs[0]?.task).toMatchObject({
      run: 1,
      content: { module: `/attempts/${ID}/content-module` },
      params: {},
    });
  });

  it('has its end though its engine does not let go of what it left', async () => {
    driver.destroy = (): Promise<never> => Promise.reject(new Error('the daemon is not there'));
    supervisor.start(execution);
    await clock.settle();
    driver.runs[0]?.end({ exitCode: 0 });
    await clock.settle();
    expect(item()).toMatchObject({ state: 'Publishing', resultCid: 'result' });
  });

  it('tells what its task takes, as long as it runs', async () => {
    supervisor.start(execution);
    await clock.settle();
    expect(await supervisor.tasks()).toEqual([{ engine: 'wasm', cpuMs: 5, memoryBytes: 6 }]);
    driver.runs[0]?.end();
    await clock.settle();
    expect(await supervisor.tasks()).toEqual([]);
  });

  it('is not believed when it never said that it started', async () => {
    driver.starts = false;
    supervisor.start(execution);
    await clock.settle();
    driver.runs[0]?.end();
    await clock.settle();
    expect(item()).toMatchObject({ state: 'Failed', exitReason: 'internal' });
    expect(ledger.free()).toEqual(ONBOARDED);
  });

  it('fails when its contract is gone', async () => {
    store.contracts.clear();
    supervisor.start(execution);
    await clock.settle();
    expect(item()).toMatchObject({ state: 'Failed', exitReason: 'internal' });
  });

  it('shows its output while it runs', async () => {
    expect(supervisor.folderOf(ID)).toBeUndefined();
    supervisor.start(execution);
    await clock.settle();
    expect(supervisor.folderOf(ID)?.hostPath).toBe(`/attempts/${ID}`);
    driver.runs[0]?.end();
    await clock.settle();
    expect(supervisor.folderOf(ID)).toBeUndefined();
  });

  it('is lost when the node stops, and that is on disk before stopAll resolves', async () => {
    supervisor.start(execution);
    await clock.settle();
    await supervisor.stopAll();
    expect(store.executions.get(ID)?.item).toMatchObject({ state: 'Failed', exitReason: 'lost' });
    expect(store.leases.size).toBe(0);
  });
});
