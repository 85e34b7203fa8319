import { beforeEach, describe, expect, it } from 'vitest';
import { isLive } from '../../../src/domain/market/execution.ts';
import { CodedError } from '../../../src/lib/coded-error.ts';
import { giveUpJob } from '../../../src/orchestrator/giving-up.ts';
import { JobLane } from '../../../src/orchestrator/job-lane.ts';
import { Planner } from '../../../src/orchestrator/planners/planner.ts';
import type { JobCommit } from '../../../src/orchestrator/ports.ts';
import type { Store } from '../../../src/store/index.ts';
import { FakeClock } from '../../simulation/fake-clock.ts';
import { openTestStore } from '../fakes/stores.ts';
import * as make from '../store/market-records.ts';

let clock: FakeClock;
let store: Store;
let written: JobCommit[];
let failures: Error[];
let told: string[];

beforeEach(async () => {
  clock = new FakeClock();
  ({ store } = await openTestStore(clock));
  written = [];
  failures = [];
  told = [];
  const running = make.execution('job', 0, 1);
  await settled(
    store.jobs.commit({
      ...make.created('job', { createdAt: clock.nowMs(), state: 'Running' }),
      executions: [
        { ...running, contractId: 'c', observed: { state: 'Running', contractId: 'c' } },
        make.execution('job', 1, 1),
        make.ended(make.execution('job', 2, 1)),
      ],
      contracts: [make.contract('job', 'c', { state: 'ACTIVE' })],
      search: { ...make.search('job', 1), state: 'waiting' },
    }),
  );
});

function settled<T>(work: Promise<T>): Promise<T> {
  return clock.runUntilSettled(work, 10_000);
}

function giveUp(jobId: string): Promise<void> {
  const { signal } = new AbortController();
  const lane = new JobLane({
    clock,
    chance: () => 0,
    signal,
    store: {
      newest: (id) => store.jobs.newest(id),
      newestContract: (id) => store.jobs.newestContract(id),
      settled: (id) => store.jobs.settled(id),
      begin: async (commit) => {
        const failure = failures.shift();
        if (failure !== undefined) throw failure;
        written.push(commit);
        return await store.jobs.begin(commit);
      },
    },
  });
  const unused = (): never => {
    throw new Error('not asked for');
  };
  const planner = new Planner({
    room: { wait: () => {}, leave: () => {} },
    clock,
    newRequestId: unused,
    evaluate: unused,
    dispatcher: {
      reserve: unused,
      giveBack: unused,
      start: unused,
      release: (id) => told.push(`release ${id}`),
    },
    negotiator: {
      draftProposal: unused,
      requestLock: unused,
      propose: unused,
      forget: (id) => told.push(`forget ${id}`),
    },
    onFinished: ({ job }) => told.push(`finished ${job.state}`),
  });
  return settled(giveUpJob(jobId, { clock, chance: () => 0, lane, planner, signal }));
}

describe('a job that cannot be planned any more', () => {
  it('fails in one batch with all that was live of it, so that no crash comes in between', async () => {
    await giveUp('job');
    expect(written).toHaveLength(1);
    const after = await settled(store.jobs.snapshot('job'));
    expect(after?.job).toMatchObject({ state: 'Failed', why: { code: 'job-not-planned' } });
    expect(after?.executions.filter(isLive)).toEqual([]);
    expect(after?.executions.map(({ observed }) => observed.state)).toEqual([
      'Cancelled',
      'BidRejected',
      'Cancelled',
    ]);
    expect(after?.search?.state).toBe('closed');
    expect(await settled(store.jobs.contract('c'))).toMatchObject({ state: 'TERMINATED' });
    expect(told).toEqual([
      'forget job.v1.p0r0.a1',
      'forget job.v1.p1r0.a1',
      'release job',
      'release job',
      'finished Failed',
    ]);
    expect((await settled(store.jobs.pruneFinished(0, 0))).jobIds).toEqual(['job']);
  });

  it('waits for a store that is busy', async () => {
    failures = [new CodedError('STORE_BUSY', 'busy'), new CodedError('STORE_BUSY', 'busy')];
    await giveUp('job');
    expect((await settled(store.jobs.snapshot('job')))?.job.state).toBe('Failed');
  });

  it('is given up once, and only where it is', async () => {
    await giveUp('job');
    await giveUp('job');
    await giveUp('another');
    expect(written).toHaveLength(1);
  });
});
