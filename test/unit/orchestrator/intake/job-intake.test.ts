import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Evaluation } from '../../../../src/domain/job/evaluation.ts';
import { jobDescription } from '../../../../src/domain/job/job-description.ts';
import { CodedError } from '../../../../src/lib/coded-error.ts';
import { silentLogger } from '../../../../src/lib/logger.ts';
import { Evaluations } from '../../../../src/orchestrator/evaluations.ts';
import { JobIntake } from '../../../../src/orchestrator/intake/job-intake.ts';
import { JobLane } from '../../../../src/orchestrator/job-lane.ts';
import { defaultOrchestratorLimits } from '../../../../src/orchestrator/options.ts';
import { FakeClock } from '../../../simulation/fake-clock.ts';
import { MODULE_CID, REQUESTER } from '../../fakes/market.ts';
import { openTestStore, type TestStore } from '../../fakes/stores.ts';

const DESCRIPTION = jobDescription.parse({
  engine: { type: 'wasm', params: { module: { cid: MODULE_CID } } },
});

const MODULE = {
  cid: MODULE_CID,
  bytes: 8,
  isPublic: false,
  storedAt: 1,
  blocks: [[MODULE_CID, 8]],
  inline: [MODULE_CID],
} as const;

let clock: FakeClock;
let stored: TestStore;
let enqueued: Evaluation[];
let pins: Set<string>;
let openJobs: number;
let openDrafts: number;
let room: () => Promise<void>;
let intake: JobIntake;

beforeEach(async () => {
  clock = new FakeClock();
  stored = await openTestStore(clock);
  enqueued = [];
  pins = new Set();
  openJobs = 0;
  openDrafts = 0;
  room = async () => {};
  let ids = 0;
  const newId = (): string => `id-${(ids += 1)}`;
  const store = stored.store.jobs;
  const broker = { enqueue: (evaluation: Evaluation) => void enqueued.push(evaluation) };
  intake = new JobIntake(
    {
      defaultOrchestrationType: 'pull',
      defaultSearchTimeoutMs: 5000,
      wantedBids: 3,
      weights: {},
      limits: { ...defaultOrchestratorLimits, maxOpenJobs: 2 },
    },
    {
      self: REQUESTER,
      clock,
      logger: silentLogger,
      newId,
      store,
      content: {
        requireRoom: () => room(),
        draft: () => {
          openDrafts += 1;
          return {
            put: async () => ({ cid: MODULE_CID, size: 8 }),
            sizeOf: async () => 8,
            changes: (owner) => [
              { op: 'add', object: MODULE, bytes: new Map([[MODULE_CID, new Uint8Array(8)]]) },
              { op: 'pin', cid: MODULE_CID, owner },
            ],
            end: async () => void (openDrafts -= 1),
          };
        },
        pin: async (cid, owner) => void pins.add(`${cid} ${owner}`),
        unpin: async (owner) => {
          for (const pin of pins) if (pin.endsWith(` ${owner}`)) pins.delete(pin);
        },
      },
      lane: new JobLane({ clock, chance: () => 0, store, signal: new AbortController().signal }),
      evaluations: new Evaluations({ broker, clock, newId, logger: silentLogger }),
      openJobs: () => openJobs,
    },
  );
});

afterEach(async () => {
  await clock.runUntilSettled(stored.store.stop(), 10_000);
});

const post = (idempotencyKey?: string, bodyDigest = 'body') =>
  clock.runUntilSettled(
    intake.post(DESCRIPTION, { bodyDigest, ...(idempotencyKey === undefined ? {} : { idempotencyKey }) }),
    1000,
  );

const snapshot = (jobId: string) => clock.runUntilSettled(stored.store.jobs.snapshot(jobId), 1000);

describe('a job that is posted', () => {
  it('is on disk before the answer, and evaluated', async () => {
    const { jobId, repeated } = await post();
    expect(repeated).toBe(false);
    expect(await snapshot(jobId)).toMatchObject({
      revision: 1,
      job: { state: 'Pending', submitter: REQUESTER },
    });
    expect(enqueued).toMatchObject([{ jobId, trigger: 'job-register' }]);
    expect(stored.store.content.pinsOf(jobId)).toEqual(new Set([MODULE_CID]));
    expect(openDrafts).toBe(0);
  });

  it('is not taken where the disk has no room for its records', async () => {
    room = () => Promise.reject(new CodedError('DISK_FULL', 'The disk is full.'));
    await expect(post()).rejects.toMatchObject({ code: 'DISK_FULL' });
    expect(enqueued).toEqual([]);
    expect(await clock.runUntilSettled(stored.store.jobs.openJobs(), 1000)).toEqual([]);
  });

  it('is a new job each time, and the same one under the same key', async () => {
    const first = await post();
    expect((await post()).jobId).not.toBe(first.jobId);
    const keyed = await post('key');
    expect(await post('key')).toEqual({ jobId: keyed.jobId, repeated: true });
    await expect(post('key', 'other body')).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
  });

  it('twice at once under one key is one job', async () => {
    const options = { idempotencyKey: 'key', bodyDigest: 'body' };
    const both = Promise.all([intake.post(DESCRIPTION, options), intake.post(DESCRIPTION, options)]);
    const [first, second] = await clock.runUntilSettled(both, 1000);
    expect(second?.jobId).toBe(first?.jobId);
    expect([first?.repeated, second?.repeated].filter(Boolean)).toHaveLength(1);
    expect(enqueued).toHaveLength(1);
  });

  it('is refused when there are too many', async () => {
    openJobs = 2;
    await expect(post()).rejects.toMatchObject({ code: 'TOO_MANY_JOBS' });
    expect(enqueued).toEqual([]);
  });

  it('is refused when the disk is full', async () => {
    stored.disk.failWrites();
    await expect(post()).rejects.toMatchObject({ code: 'STORE_FAILED' });
    expect(openDrafts).toBe(0);
    stored.disk.repair();
  });
});

describe('a job that is cancelled', () => {
  it('is marked on disk and evaluated; the scheduler does the rest', async () => {
    const { jobId } = await post();
    await clock.runUntilSettled(intake.cancel(jobId), 1000);
    await clock.runUntilSettled(intake.cancel(jobId), 1000);
    expect(await snapshot(jobId)).toMatchObject({
      revision: 2,
      job: { state: 'Pending', stopRequested: true },
    });
    expect(enqueued.map(({ trigger }) => trigger)).toEqual(['job-register', 'job-cancel', 'job-cancel']);
  });

  it('has to be there, and not over', async () => {
    await expect(clock.runUntilSettled(intake.cancel('none'), 1000)).rejects.toMatchObject({
      code: 'JOB_NOT_FOUND',
    });
    const { jobId } = await post();
    const before = await snapshot(jobId);
    if (before === undefined) throw new Error('no job');
    const end = async (revision: number, state: 'Completed' | 'Stopped', id: string): Promise<void> => {
      const job = { ...before.job, id, state, finishedAt: clock.nowMs() };
      await clock.runUntilSettled(stored.store.jobs.commit({ jobId: id, revision, job, events: [] }), 1000);
    };
    await end(1, 'Completed', jobId);
    await expect(clock.runUntilSettled(intake.cancel(jobId), 1000)).rejects.toMatchObject({
      code: 'JOB_FINISHED',
      data: { state: 'Completed' },
    });
    await end(0, 'Stopped', 'stopped');
    await clock.runUntilSettled(intake.cancel('stopped'), 1000);
    expect(enqueued).toHaveLength(1);
  });
});

describe('the evaluation desk', () => {
  it('keeps what the broker does not take and offers it again', () => {
    const taken: Evaluation[] = [];
    let full = true;
    const broker = {
      enqueue: (evaluation: Evaluation): void => {
        if (full) throw new CodedError('BROKER_FULL', 'full');
        taken.push(evaluation);
      },
    };
    const desk = new Evaluations({ broker, clock, newId: () => 'id', logger: silentLogger });
    const job = { id: 'job', spec: { type: 'batch', priority: 7 } } as Parameters<Evaluations['evaluate']>[0];
    desk.evaluate(job, 'exec-update');
    desk.evaluate(job, 'search-closed');
    desk.repeatMissed();
    expect(taken).toEqual([]);
    full = false;
    desk.repeatMissed();
    desk.repeatMissed();
    expect(taken).toMatchObject([{ jobId: 'job', priority: 7, trigger: 'recovery' }]);
  });
});
