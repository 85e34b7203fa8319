import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ContractRecord } from '../../../../src/domain/market/contract.ts';
import type { Execution } from '../../../../src/domain/market/execution.ts';
import type { ServingAnswer, ServingItem } from '../../../../src/domain/market/serving.ts';
import { CodedError } from '../../../../src/lib/coded-error.ts';
import { silentLogger } from '../../../../src/lib/logger.ts';
import { JobLane } from '../../../../src/orchestrator/job-lane.ts';
import { Liveness } from '../../../../src/orchestrator/serving/liveness.ts';
import { MOST_FETCHES } from '../../../../src/orchestrator/serving/result-collector.ts';
import { jobIdOf } from '../../../../src/orchestrator/serving/job-id.ts';
import { ServingHandler } from '../../../../src/orchestrator/serving/serving-handler.ts';
import { FakeClock } from '../../../simulation/fake-clock.ts';
import { contractOf, evidence, executionOf, itemOf, jobOf, observedAs } from '../../fakes/market.ts';
import { openTestStore, type TestStore } from '../../fakes/stores.ts';

const ID = itemOf('Running').executionId;

let clock: FakeClock;
let stored: TestStore;
let liveness: Liveness;
let stopping: AbortController;
let evaluated: string[];
let pins: Set<string>;
let fetches: number;
let freeBytes: number;
let fetch: () => Promise<void>;
let resolve: (execution: Execution, contract: ContractRecord) => Promise<void>;
let isOf: (executionId: string) => boolean;
let desk: ServingHandler;

beforeEach(async () => {
  clock = new FakeClock();
  stored = await openTestStore(clock);
  liveness = new Liveness(clock);
  stopping = new AbortController();
  evaluated = [];
  pins = new Set();
  fetches = 0;
  freeBytes = Number.MAX_SAFE_INTEGER;
  fetch = async () => {};
  resolve = async () => {};
  isOf = () => true;
  const store = stored.store.jobs;
  desk = new ServingHandler({
    clock,
    chance: () => 0,
    logger: silentLogger,
    store,
    lane: new JobLane({ clock, chance: () => 0, store, signal: stopping.signal }),
    liveness,
    counterparts: { isOf: (_provider, executionId) => isOf(executionId) },
    content: {
      fetch: async () => {
        fetches += 1;
        await fetch();
        return { bytes: 5 };
      },
      room: () => ({ freeBytes }),
      sizeOf: async () => undefined,
      pin: async (cid, owner) => void pins.add(`${cid} ${owner}`),
      unpin: async (owner) => {
        for (const pin of pins) if (pin.endsWith(` ${owner}`)) pins.delete(pin);
      },
    },
    evaluate: (_job, trigger) => evaluated.push(trigger),
    resolve: (execution, contract) => resolve(execution, contract),
    signal: stopping.signal,
  });
});

afterEach(async () => {
  stopping.abort();
  await clock.runUntilSettled(stored.store.stop(), 10_000);
});

async function store(execution: Execution, state: ContractRecord['state'] = 'ACCEPTED'): Promise<void> {
  const commit = stored.store.jobs.commit({
    jobId: 'job',
    revision: 0,
    job: jobOf({ state: 'Running' }),
    executions: [execution],
    contracts: [contractOf('contract', { state })],
    events: [],
  });
  await clock.runUntilSettled(commit, 1000);
}

const bound = (observed: Execution['observed'], changes: Partial<Execution> = {}): Execution =>
  executionOf(0, 1, 'provider', observed, { contractId: 'contract', desired: 'Running', ...changes });

async function take(items: readonly ServingItem[], provider = 'provider'): Promise<ServingAnswer> {
  const list = evidence('serving-list', { number: 7, items }, provider);
  return await clock.runUntilSettled(desk.take(provider, list), 10_000);
}

async function wanted(item: ServingItem, provider?: string): Promise<string | undefined> {
  return (await take([item], provider)).desired[0]?.desired;
}

async function observed(): Promise<Execution['observed'] | undefined> {
  const snapshot = await clock.runUntilSettled(stored.store.jobs.snapshot('job'), 1000);
  return snapshot?.executions[0]?.observed;
}

const publishing = (changes: Partial<ServingItem> = {}): ServingItem =>
  itemOf('Publishing', {
    exitReason: 'completed',
    exitCode: 0,
    resultCid: 'result',
    resultBytes: 5,
    ...changes,
  });

describe('a serving list', () => {
  it('is answered item by item, under its number', async () => {
    await store(bound(observedAs.accepted()));
    const answer = await take([itemOf('Running'), itemOf('Running', { executionId: 'unknown.v1.p0r0.a1' })]);
    expect(answer).toEqual({
      number: 7,
      desired: [
        { executionId: ID, attempt: 1, desired: 'run' },
        { executionId: 'unknown.v1.p0r0.a1', attempt: 1, desired: 'stop' },
      ],
    });
    expect(await observed()).toMatchObject({ state: 'Running' });
  });

  it('is a sign of life of what is under contract, and of nothing else', async () => {
    await store(bound(observedAs.running()));
    await clock.advanceBy(3000);
    await take([itemOf('Running')], 'another');
    expect(liveness.lastSeenAt(ID, 1)).toBe(1);
    await take([itemOf('Running')]);
    expect(liveness.lastSeenAt(ID, 1)).toBe(clock.nowMs());
  });

  it('from somebody else changes nothing', async () => {
    await store(bound(observedAs.running()));
    expect(await wanted(itemOf('Failed', { exitReason: 'trap' }), 'another')).toBe('stop');
    expect(await observed()).toMatchObject({ state: 'Running' });
  });

  it('of a failed attempt has the job evaluated', async () => {
    await store(bound(observedAs.running()));
    expect(await wanted(itemOf('Failed', { exitReason: 'exit-code', exitCode: 1 }))).toBe('done');
    expect(evaluated).toEqual(['exec-failure']);
  });

  it('of made-up executions costs a few looks at the disk and no more, and all that is known is answered', async () => {
    await store(bound(observedAs.accepted()));
    isOf = (executionId) => executionId === ID;
    const madeUp = Array.from({ length: 4095 }, (_, index) =>
      itemOf('Running', { executionId: `made-up-${index}.v1.p0r0.a1` }),
    );
    const looks: string[] = [];
    const { jobs } = stored.store;
    const found = await clock.runUntilSettled(jobs.snapshot('job'), 1000);
    jobs.snapshot = async (jobId) => {
      looks.push(jobId);
      return jobId === 'job' ? found : undefined;
    };
    const { desired } = await take([...madeUp, itemOf('Running')]);
    expect(desired).toHaveLength(65);
    expect(desired.at(-1)).toMatchObject({ executionId: ID, desired: 'run' });
    expect(looks.filter((jobId) => jobId !== 'job')).toHaveLength(64);
    expect(desk.strays('provider', madeUp)).toBe(64);
    expect(desk.strays('provider', [itemOf('Running')])).toBe(0);
  });

  it('that is long is looked at a part at a time', async () => {
    await store(bound(observedAs.accepted()));
    const items = Array.from({ length: 100 }, (_, index) =>
      itemOf('Running', { executionId: `other-${index}.v1.p0r0.a1` }),
    );
    let looks = 0;
    stored.store.jobs.snapshot = async () => {
      looks += 1;
      return undefined;
    };
    const list = evidence('serving-list', { number: 7, items }, 'provider');
    const answer = desk.take('provider', list);
    expect(looks).toBeLessThan(40);
    expect((await clock.runUntilSettled(answer, 1000)).desired).toHaveLength(100);
    expect(looks).toBe(100);
  });

  it('knows the job by the execution', () => {
    expect(jobIdOf('0198-abc.v1.p0r0.a1')).toBe('0198-abc');
  });
});

describe('a list that comes before the word of the contract', () => {
  it('waits for that word, and is applied then', async () => {
    await store(bound(observedAs.locked()), 'PROPOSED');
    resolve = async () => {
      const accepted = bound(observedAs.accepted());
      const contracts = [contractOf('contract', { state: 'ACCEPTED' })];
      await stored.store.jobs.commit({
        jobId: 'job',
        revision: 1,
        executions: [accepted],
        contracts,
        events: [],
      });
    };
    expect(await wanted(itemOf('Running'))).toBe('run');
    expect(await observed()).toMatchObject({ state: 'Running' });
  });

  it('is answered all the same when the word does not come', async () => {
    await store(bound(observedAs.locked()), 'PROPOSED');
    resolve = () => new Promise(() => {});
    expect(await wanted(itemOf('Running'))).toBe('run');
    expect(await observed()).toMatchObject({ state: 'AskForBidAccepted' });
  });

  it('asks for the word of a contract whose execution was given up, and stops it', async () => {
    await store(bound(observedAs.rejected(), { desired: 'Stopped' }), 'PROPOSED');
    const asked: string[] = [];
    resolve = async (_execution, { contractId }) => void asked.push(contractId);
    expect(await wanted(itemOf('Running'))).toBe('stop');
    expect(asked).toEqual(['contract']);
  });

  it('under another contract than the one proposed is stopped', async () => {
    await store(bound(observedAs.locked()), 'PROPOSED');
    expect(await wanted(itemOf('Running', { contractId: 'other' }))).toBe('stop');
  });
});

describe('a result', () => {
  it('is fetched beside the answer; Completed means that it is here', async () => {
    await store(bound(observedAs.running()));
    const arriving = Promise.withResolvers<void>();
    fetch = () => arriving.promise;
    expect(await wanted(publishing())).toBe('run');
    expect(await observed()).toMatchObject({ state: 'Publishing' });
    expect(await wanted(publishing())).toBe('run');
    expect(fetches).toBe(1);
    arriving.resolve();
    await clock.advanceBy(50);
    expect(await observed()).toMatchObject({ state: 'Completed', resultCid: 'result', resultBytes: 5 });
    expect(pins).toEqual(new Set([`result ${ID}`]));
    expect(evaluated.at(-1)).toBe('exec-update');
    expect(await wanted(publishing())).toBe('done');
    expect(pins.size).toBe(1);
  });

  it.each(['CONTENT_INVALID', 'CONTENT_TOO_LARGE'])(
    'that is %s fails the attempt as lost at once',
    async (code) => {
      await store(bound(observedAs.running()));
      fetch = () => Promise.reject(new CodedError(code, 'bad'));
      await take([publishing()]);
      await clock.advanceBy(50);
      expect(await observed()).toMatchObject({ state: 'Failed', end: { exitReason: 'lost' } });
      expect(pins.size).toBe(0);
      expect(await wanted(publishing())).toBe('stop');
    },
  );

  it('that cannot be had is asked for with each list, so often and no more', async () => {
    await store(bound(observedAs.running()));
    fetch = () => Promise.reject(new CodedError('PEER_UNREACHABLE', 'gone'));
    for (let list = 1; list < MOST_FETCHES; list += 1) {
      expect(await wanted(publishing())).toBe('run');
      await clock.advanceBy(50);
      expect(await observed()).toMatchObject({ state: 'Publishing' });
    }
    await take([publishing()]);
    await clock.advanceBy(50);
    expect(fetches).toBe(MOST_FETCHES);
    expect(await observed()).toMatchObject({ state: 'Failed', end: { exitReason: 'lost' } });
  });

  it.each(['QUOTA_EXCEEDED', 'DISK_FULL', 'STORE_FAILED'])(
    'for which there is no room here waits for it, and is no fault of its provider: %s',
    async (code) => {
      await store(bound(observedAs.running()));
      fetch = () => Promise.reject(new CodedError(code, 'full'));
      for (let list = 0; list < 100; list += 1) {
        expect(await wanted(publishing())).toBe('run');
        await clock.advanceBy(1000);
      }
      expect(await observed()).toMatchObject({ state: 'Publishing' });
      // Not with each list: what is large costs its provider as much each time.
      expect(fetches).toBeLessThan(15);
      const told = stored.store.jobs.events('job', 0, 100);
      const waits = (await clock.runUntilSettled(told, 1000)).filter((event) => event.code === 'NO_ROOM');
      expect(waits).toMatchObject([{ why: { code: 'result-waits', data: { text: 'full' } } }]);
      fetch = async () => {};
      await clock.advanceBy(15_000);
      await take([publishing()]);
      await clock.advanceBy(50);
      expect(await observed()).toMatchObject({ state: 'Completed' });
    },
  );

  it('that cannot fit is not fetched to find that out', async () => {
    await store(bound(observedAs.running()));
    freeBytes = (publishing().resultBytes ?? 0) - 1;
    await take([publishing()]);
    await clock.advanceBy(50);
    expect(fetches).toBe(0);
    freeBytes += 1;
    await clock.advanceBy(2000);
    await take([publishing()]);
    await clock.advanceBy(50);
    expect(await observed()).toMatchObject({ state: 'Completed' });
  });

  it('for which no room comes is given up, and nobody is blamed for it', async () => {
    await store(bound(observedAs.running()));
    fetch = () => Promise.reject(new CodedError('DISK_FULL', 'The disk is full.'));
    for (let minute = 0; minute <= 31; minute += 1) {
      await take([publishing()]);
      await clock.advanceBy(60_000);
    }
    expect(await observed()).toMatchObject({
      state: 'Failed',
      end: {
        exitReason: 'denied',
        why: { code: 'result-not-kept', data: { text: 'The disk is full.' } },
      },
    });
  });

  it('that comes on the second try completes', async () => {
    await store(bound(observedAs.running()));
    fetch = () => Promise.reject(new CodedError('PEER_UNREACHABLE', 'gone'));
    await take([publishing()]);
    await clock.advanceBy(50);
    fetch = async () => {};
    await take([publishing()]);
    await clock.advanceBy(50);
    expect(await observed()).toMatchObject({ state: 'Completed' });
  });

  it('of a failed attempt is fetched too, and its end is known without it', async () => {
    await store(bound(observedAs.running()));
    const failed = itemOf('Failed', {
      exitReason: 'exit-code',
      exitCode: 1,
      resultCid: 'result',
      resultBytes: 5,
    });
    fetch = () => Promise.reject(new CodedError('PEER_UNREACHABLE', 'gone'));
    expect(await wanted(failed)).toBe('run');
    await clock.advanceBy(50);
    const end = await observed();
    expect(end).toMatchObject({ state: 'Failed', end: { exitReason: 'exit-code', exitCode: 1 } });
    expect(end).not.toHaveProperty('resultCid');
    // It is asked for again, so that nobody is left without what the program printed.
    fetch = async () => {};
    expect(await wanted(failed)).toBe('run');
    await clock.advanceBy(50);
    expect(await observed()).toEqual({ ...end, resultCid: 'result', resultBytes: 5 });
    expect(await wanted(failed)).toBe('done');
    expect([...pins]).toEqual([`result ${ID}`]);
  });

  it.each([
    ['cancelled', observedAs.cancelled('contract')],
    ['lost', observedAs.failed('lost', 'contract')],
  ] as const)('of an attempt that was %s here is what it had printed', async (_, over) => {
    await store(bound(over, { desired: 'Stopped' }));
    const stopped = itemOf('Cancelled', { exitReason: 'cancelled', resultCid: 'result', resultBytes: 5 });
    expect(await wanted(itemOf('Running'))).toBe('stop');
    expect(await wanted(stopped)).toBe('run');
    await clock.advanceBy(50);
    expect(await observed()).toEqual({ ...over, resultCid: 'result', resultBytes: 5 });
    expect(await wanted(stopped)).toBe('stop');
    expect(fetches).toBe(1);
  });

  it('of an attempt that is over is given up when it cannot be had, and the provider let go', async () => {
    await store(bound(observedAs.cancelled('contract'), { desired: 'Stopped' }));
    const stopped = itemOf('Cancelled', { exitReason: 'cancelled', resultCid: 'result', resultBytes: 5 });
    fetch = () => Promise.reject(new CodedError('PEER_UNREACHABLE', 'gone'));
    for (let list = 0; list < MOST_FETCHES; list += 1) {
      expect(await wanted(stopped)).toBe('run');
      await clock.advanceBy(50);
    }
    expect(await wanted(stopped)).toBe('stop');
    expect(pins.size).toBe(0);
    expect(await observed()).not.toHaveProperty('resultCid');
  });

  it('that came after its attempt was lost is not fetched', async () => {
    await store(bound(observedAs.failed('lost', 'contract'), { desired: 'Stopped' }));
    expect(await wanted(publishing())).toBe('stop');
    expect(fetches).toBe(0);
  });

  it('that nobody wants any more is let go', async () => {
    await store(bound(observedAs.running()));
    const arriving = Promise.withResolvers<void>();
    fetch = () => arriving.promise;
    await take([publishing()]);
    const cancelled = bound(observedAs.cancelled('contract'), { desired: 'Stopped' });
    const commit = stored.store.jobs.commit({
      jobId: 'job',
      revision: 2,
      executions: [cancelled],
      events: [],
    });
    await clock.runUntilSettled(commit, 1000);
    arriving.resolve();
    await clock.advanceBy(50);
    expect(pins.size).toBe(0);
    expect(await observed()).toMatchObject({ state: 'Cancelled' });
  });
});

describe('liveness', () => {
  it('is measured on the clock that does not jump', async () => {
    liveness.seen('e');
    await clock.advanceBy(100);
    expect(liveness.lastSeenAt('e', 0)).toBe(clock.nowMs() - 100);
    expect(liveness.lastSeenAt('other', 17)).toBe(17);
    liveness.expect('e', 1000);
    expect(liveness.lastSeenAt('e', 0)).toBe(clock.nowMs() + 1000);
    liveness.forget('e');
    expect(liveness.lastSeenAt('e', 17)).toBe(17);
  });
});
