import { beforeEach, describe, expect, it } from 'vitest';
import type { JobSnapshot } from '../../../src/domain/job/plan.ts';
import { CodedError } from '../../../src/lib/coded-error.ts';
import { retryOn } from '../../../src/lib/retry.ts';
import { JobLane, type JobRecords } from '../../../src/orchestrator/job-lane.ts';
import type { JobCommit } from '../../../src/orchestrator/ports.ts';
import { FakeClock } from '../../simulation/fake-clock.ts';
import { jobOf } from '../fakes/market.ts';

let clock: FakeClock;
let stopping: AbortController;
let snapshot: JobSnapshot | undefined;
let commits: JobCommit[];
let failures: Error[];
let durable: Promise<void>;
let lane: JobLane;

beforeEach(() => {
  clock = new FakeClock();
  stopping = new AbortController();
  snapshot = { job: jobOf(), executions: [], revision: 1 };
  commits = [];
  failures = [];
  durable = Promise.resolve();
  const store: JobRecords = {
    newest: async () => snapshot,
    newestContract: async () => undefined,
    settled: async () => undefined,
    begin: async (commit) => {
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      commits.push(commit);
      snapshot = { job: commit.job ?? jobOf(), executions: [], revision: commit.revision + 1 };
      return { after: snapshot, durable };
    },
  };
  lane = new JobLane({ clock, chance: () => 0, store, signal: stopping.signal });
});

const reasoned =
  (text: string) =>
  ({ job }: JobSnapshot) => ({
    job: { ...job, why: { code: 'unknown', data: { text } } as const },
    events: [],
  });

describe('the lane of a job', () => {
  it('decides each change on what the one before left', async () => {
    const seen: number[] = [];
    const change = () =>
      lane.change('job', (current) => {
        seen.push(current.revision);
        return reasoned('x')(current);
      });
    await Promise.all([change(), change(), change()]);
    expect(seen).toEqual([1, 2, 3]);
    expect(commits.map(({ revision }) => revision)).toEqual([1, 2, 3]);
  });

  it('writes nothing when there is nothing to change, or no job', async () => {
    expect(await lane.change('job', () => undefined)).toBeUndefined();
    snapshot = undefined;
    expect(await lane.change('job', reasoned('x'))).toBeUndefined();
    expect(commits).toEqual([]);
  });

  it('waits for a store that is busy: a fact is not lost', async () => {
    failures = [new CodedError('STORE_BUSY', 'busy'), new CodedError('REVISION_CONFLICT', 'past the lane')];
    const changed = lane.change('job', reasoned('x'));
    expect(await clock.runUntilSettled(changed, 10_000)).toMatchObject({ revision: 2 });
  });

  it('gives up when the store has failed, and when the node stops', async () => {
    failures = [new CodedError('STORE_FAILED', 'full')];
    await expect(lane.change('job', reasoned('x'))).rejects.toThrow('full');
    failures = Array.from({ length: 100 }, () => new CodedError('STORE_BUSY', 'busy'));
    const changed = lane.change('job', reasoned('x'));
    stopping.abort();
    await expect(clock.runUntilSettled(changed, 10_000)).rejects.toThrow('busy');
  });

  it('lets the next change see one that is being written, and answers when it is written', async () => {
    const onDisk = Promise.withResolvers<void>();
    durable = onDisk.promise;
    const told: string[] = [];
    const first = lane.change('job', reasoned('x'), ({ revision }) => told.push(`begun ${revision}`));
    void first.then(() => told.push('durable'));
    const second = lane.change('job', reasoned('y'));
    await clock.settle();
    expect(commits.map(({ revision }) => revision)).toEqual([1, 2]);
    expect(told).toEqual(['begun 2']);
    onDisk.resolve();
    expect(await second).toMatchObject({ revision: 3 });
    expect(told).toEqual(['begun 2', 'durable']);
  });

  it('gives a job to one alone', async () => {
    const finish = Promise.withResolvers<void>();
    const alone = lane.alone('job', async (store) => {
      await finish.promise;
      return (await store.newest('job'))?.revision;
    });
    const changed = lane.change('job', reasoned('x'));
    const other = lane.change('other', reasoned('y'));
    expect(await other).toMatchObject({ revision: 2 });
    finish.resolve();
    expect(await alone).toBe(2);
    expect(await changed).toMatchObject({ revision: 3 });
  });
});

describe('a retry', () => {
  it('waits longer each time', async () => {
    const times: number[] = [];
    const work = async (): Promise<string> => {
      times.push(clock.monotonicMs());
      if (times.length < 5) throw new CodedError('AGAIN', 'no');
      return 'done';
    };
    const retrying = retryOn(
      ['AGAIN'],
      { firstMs: 10, longestMs: 40, factor: 2 },
      { clock, chance: () => 0 },
      work,
    );
    expect(await clock.runUntilSettled(retrying, 1000)).toBe('done');
    expect(times).toEqual([0, 10, 30, 70, 110]);
  });
});
