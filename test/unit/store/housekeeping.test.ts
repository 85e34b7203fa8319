import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ContentStore } from '../../../src/content/index.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { Housekeeping } from '../../../src/node/housekeeping.ts';
import { openStore, type Store } from '../../../src/store/index.ts';
import { MemoryDisk } from '../../simulation/memory-disk.ts';
import { defaultRetention, defaultStoreLimits, type RetentionOptions } from '../../../src/store/options.ts';
import { FakeClock } from '../../simulation/fake-clock.ts';
import { type MemoryNode, memoryNode, text } from '../content/content-fixtures.ts';
import { seededRandom } from './clocks.ts';
import * as make from './market-records.ts';

const EVERY_MS = 1000;
const AGE_MS = 100_000;
const OPTIONS: RetentionOptions = {
  ...defaultRetention,
  everyMs: EVERY_MS,
  finishedJobsMs: AGE_MS,
  endedContractsMs: AGE_MS,
};

let clock: FakeClock;
/** How far the wall clock has jumped. */
let aheadMs: number;
let disk: MemoryDisk;
let store: Store;
let files: MemoryNode;
let housekeeping: Housekeeping | undefined;

const jumping: Clock = {
  nowMs: () => clock.nowMs() + aheadMs,
  monotonicMs: () => clock.monotonicMs(),
  livedMs: () => clock.livedMs(),
  after: (delayMs, fire) => clock.after(delayMs, fire),
};

async function open(pruneScan = defaultStoreLimits.pruneScan): Promise<void> {
  const limits = { ...defaultStoreLimits, pruneScan, pruneGraceMs: 0 };
  const opening = (async () =>
    openStore(
      { folder: 'memory', contentFolder: 'memory', limits },
      { clock: jumping, logger: silentLogger, database: await disk.open() },
    ))();
  store = await clock.runUntilSettled(opening, 1000);
}

async function keep(
  options: Partial<RetentionOptions> = {},
  content: Pick<ContentStore, 'unpin'> = files.store,
): Promise<void> {
  const { jobs, provider } = store;
  housekeeping = new Housekeeping(
    { ...OPTIONS, ...options },
    { clock, logger: silentLogger, jobs, provider, content },
  );
  await housekeeping.start();
}

/** A job that ends now, with one execution whose result is here. Gives the content id of the result. */
async function finish(id: string, live = false): Promise<string> {
  const execution = make.execution(id, 0, 1);
  const finishedAt = clock.nowMs();
  const commit = store.jobs.commit({
    ...make.created(id, { createdAt: finishedAt, state: 'Completed', finishedAt }),
    executions: [live ? execution : make.ended(execution)],
    contracts: [make.contract(id, `c-${id}`)],
  });
  await clock.runUntilSettled(commit, 1000);
  const { cid } = await files.store.put(text(`result of ${id}`));
  await files.store.pin(cid, execution.id);
  return cid;
}

async function jobsLeft(): Promise<string[]> {
  return (await store.jobs.list({ limit: 100 })).items.map(({ job }) => job.id).toReversed();
}

async function filesLeft(cids: readonly string[]): Promise<boolean[]> {
  return await Promise.all(cids.map(async (cid) => (await files.store.sizeOf(cid)) !== undefined));
}

beforeEach(async () => {
  clock = new FakeClock();
  aheadMs = 0;
  disk = new MemoryDisk({ clock, random: seededRandom(1) });
  files = await memoryNode({ clock, limits: { collectAfterMs: 2000, collectEveryMs: 500 } });
  await open();
});

afterEach(async () => {
  await housekeeping?.stop();
  housekeeping = undefined;
  await files.store.stop();
  await clock.runUntilSettled(store.stop(), 1000);
});

describe('housekeeping', () => {
  it('removes finished jobs when they are old, and lets their results be collected', async () => {
    await clock.runUntilSettled(store.jobs.commit(make.created('open', { createdAt: 1 })), 1000);
    const input = (await files.store.put(text('input'))).cid;
    await files.store.pin(input, 'open');
    const old = await finish('old');
    await clock.advanceBy(AGE_MS / 2);
    const young = await finish('young');
    await keep();
    await clock.advanceBy(AGE_MS / 2 - EVERY_MS);
    expect(await jobsLeft()).toEqual(['open', 'old', 'young']);
    await clock.advanceBy(5 * EVERY_MS);
    expect(await jobsLeft()).toEqual(['open', 'young']);
    expect(await filesLeft([input, old, young])).toEqual([true, false, true]);
    expect(await store.jobs.contract('c-old')).toBeUndefined();
    expect(await store.jobs.contract('c-young')).toBeDefined();
  });

  it('removes the oldest of the finished jobs that are too many, however long that takes', async () => {
    const cids: string[] = [];
    await clock.runUntilSettled(store.stop(), 1000);
    await open(2);
    for (let job = 0; job < 9; job += 1) cids.push(await finish(`j${job}`));
    await keep({ finishedJobs: 1, callsPerRun: 2 });
    await clock.advanceBy(EVERY_MS + 200);
    expect(await jobsLeft()).toEqual(['j4', 'j5', 'j6', 'j7', 'j8']);
    await clock.advanceBy(EVERY_MS + 200);
    expect(await jobsLeft()).toEqual(['j8']);
    await clock.advanceBy(5 * EVERY_MS);
    expect(await filesLeft(cids)).toEqual([...cids.slice(1).map(() => false), true]);
  });

  it('leaves a job with work that is not over, however many there are', async () => {
    const cids = [await finish('live', true), await finish('over')];
    await keep({ finishedJobs: 0 });
    await clock.advanceBy(AGE_MS * 2);
    expect(await jobsLeft()).toEqual(['live']);
    expect(await filesLeft(cids)).toEqual([true, false]);
  });

  it('lets go of results after a crash in the middle', async () => {
    const cid = await finish('j');
    const stuck = new Promise<void>(() => {});
    await keep({ finishedJobs: 0 }, { unpin: () => stuck });
    await clock.advanceBy(EVERY_MS + 200);
    expect(await jobsLeft()).toEqual([]);
    housekeeping = undefined;
    disk.crash();
    await open();
    await keep();
    await clock.advanceBy(6 * EVERY_MS);
    expect(await filesLeft([cid])).toEqual([false]);
    // Nothing is left to be told once more.
    expect(await clock.runUntilSettled(store.jobs.pruneFinished(0, 0), 1000)).toMatchObject({ jobIds: [] });
  });

  it('repeats what the content store did not take', async () => {
    const cid = await finish('j');
    let failures = 2;
    const unpin = async (owner: string): Promise<void> => {
      failures -= 1;
      if (failures >= 0) throw new Error('the disk is busy');
      await files.store.unpin(owner);
    };
    await keep({ finishedJobs: 0 }, { unpin });
    await clock.advanceBy(EVERY_MS + 200);
    expect(await jobsLeft()).toEqual([]);
    await clock.advanceBy(8 * EVERY_MS);
    expect(await filesLeft([cid])).toEqual([false]);
  });

  it('has a provider forget contracts that ended long ago, and no others', async () => {
    const updatedAt = clock.nowMs();
    const commit = store.provider.commit({
      contracts: [
        make.contract('j', 'ended', { state: 'COMPLETED', updatedAt }),
        make.contract('j', 'running', { state: 'ACTIVE', updatedAt }),
      ],
    });
    await clock.runUntilSettled(commit, 1000);
    await keep();
    await clock.advanceBy(AGE_MS - EVERY_MS);
    expect(await store.provider.contract('ended')).toBeDefined();
    await clock.advanceBy(3 * EVERY_MS);
    expect(await store.provider.contract('ended')).toBeUndefined();
    expect(await store.provider.contract('running')).toBeDefined();
  });

  it('has a provider keep its nevers for their time, however the wall clock jumps', async () => {
    const commit = store.provider.commit({ nevers: [make.never('n')] });
    await clock.runUntilSettled(commit, 1000);
    await keep({ neversMs: 10 * EVERY_MS });
    aheadMs = AGE_MS;
    await clock.advanceBy(8 * EVERY_MS);
    expect(await store.provider.never('n')).toBeDefined();
    await clock.advanceBy(4 * EVERY_MS);
    expect(await store.provider.never('n')).toBeUndefined();
  });

  it('does nothing any more once it was stopped', async () => {
    await finish('j');
    await keep({ finishedJobs: 0 });
    await housekeeping?.stop();
    await clock.advanceBy(5 * EVERY_MS);
    expect(await jobsLeft()).toEqual(['j']);
  });
});
