import { describe, expect, it } from 'vitest';
import { CodedError } from '../../../src/lib/coded-error.ts';
import { CommitQueue, type CommitQueueLimits } from '../../../src/store/commit-queue.ts';
import { type Operation, storeFailed } from '../../../src/store/database.ts';
import { turn } from './clocks.ts';

const roomy: CommitQueueLimits = {
  waitingCommits: 100,
  waitingBytes: 1000,
  batchOperations: 100,
  batchBytes: 1000,
  commitOperations: 50,
  commitBytes: 500,
};

/** A disk on which each batch ends when the test says so. */
class StepDisk {
  readonly batches: string[][] = [];
  readonly written: (readonly Operation[])[] = [];
  readonly #ends: PromiseWithResolvers<void>[] = [];

  batch(operations: readonly Operation[]): Promise<void> {
    this.batches.push(operations.map(({ key }) => key));
    this.written.push(operations);
    const end = Promise.withResolvers<void>();
    this.#ends.push(end);
    return end.promise;
  }

  async finish(): Promise<void> {
    this.#ends.shift()?.resolve();
    await turn();
  }

  async fail(error: unknown): Promise<void> {
    this.#ends.shift()?.reject(error);
    await turn();
  }
}

function setUp(limits: Partial<CommitQueueLimits> = {}): {
  readonly disk: StepDisk;
  readonly queue: CommitQueue;
  readonly failures: CodedError[];
  /** Commits one operation of about `bytes` and writes down what becomes of it. */
  readonly commit: (name: string, bytes?: number) => void;
  readonly outcomes: string[];
} {
  const disk = new StepDisk();
  const failures: CodedError[] = [];
  const outcomes: string[] = [];
  const queue = new CommitQueue(
    { ...roomy, ...limits },
    { database: disk, gather: queueMicrotask, onFailure: (error) => failures.push(error) },
  );
  const commit = (name: string, bytes = 10): void => {
    const operation: Operation = { type: 'put', key: name, value: new Uint8Array(bytes - name.length) };
    queue
      .commit([operation], () => outcomes.push(`${name} durable`))
      .then(
        () => outcomes.push(`${name} done`),
        (error: unknown) => outcomes.push(`${name} ${error instanceof CodedError ? error.code : 'threw'}`),
      );
  };
  return { disk, queue, failures, commit, outcomes };
}

describe('a commit queue', () => {
  it('writes what arrives during a batch together in the next one', async () => {
    const { disk, commit, outcomes } = setUp();
    commit('a');
    await turn();
    commit('b');
    await turn();
    commit('c');
    expect(disk.batches).toEqual([['a']]);
    expect(outcomes).toEqual([]);
    await disk.finish();
    expect(outcomes).toEqual(['a durable', 'a done']);
    expect(disk.batches).toEqual([['a'], ['b', 'c']]);
    await disk.finish();
    expect(outcomes).toEqual(['a durable', 'a done', 'b durable', 'c durable', 'b done', 'c done']);
    commit('d');
    await turn();
    expect(disk.batches).toEqual([['a'], ['b', 'c'], ['d']]);
  });

  it('puts commits of the same turn into one batch', async () => {
    const { disk, commit } = setUp();
    for (const name of ['a', 'b', 'c']) commit(name);
    await turn();
    expect(disk.batches).toEqual([['a', 'b', 'c']]);
  });

  it('gathers as long as it is told to, unless a commit is prompt', async () => {
    const disk = new StepDisk();
    const gathering: (() => void)[] = [];
    const queue = new CommitQueue(roomy, {
      database: disk,
      gather: (write) => gathering.push(write),
      onFailure: () => {},
    });
    const put = (key: string): Operation => ({ type: 'put', key, value: new Uint8Array() });
    const fact = queue.commit([put('fact')]);
    await turn();
    expect(disk.batches).toEqual([]);
    const plan = queue.commit([put('plan')], undefined, true);
    await turn();
    expect(disk.batches).toEqual([['fact', 'plan']]);
    await disk.finish();
    await Promise.all([fact, plan]);
    const later = queue.commit([put('later')]);
    gathering.at(-1)?.();
    await turn();
    expect(disk.batches.at(-1)).toEqual(['later']);
    await disk.finish();
    await later;
  });

  it('writes of one key only what the last commit of a batch made of it', async () => {
    const { disk, commit, queue, outcomes } = setUp();
    commit('a');
    await turn();
    const put = (key: string, value: number): Operation => ({
      type: 'put',
      key,
      value: Uint8Array.of(value),
    });
    const del = (key: string): Operation => ({ type: 'del', key });
    const all = [queue.commit([put('x', 1), put('y', 1)]), queue.commit([put('x', 2), del('y')])];
    commit('b');
    await disk.finish();
    expect(disk.batches.at(-1)).toEqual(['x', 'y', 'b']);
    expect(disk.written.at(-1)?.slice(0, 2)).toEqual([put('x', 2), del('y')]);
    await disk.finish();
    await Promise.all(all);
    expect(outcomes).toEqual(['a durable', 'a done', 'b durable', 'b done']);
  });

  it('bounds a batch by operations and by bytes, and never splits a commit', async () => {
    const byCount = setUp({ batchOperations: 2 });
    for (const name of ['a', 'b', 'c']) byCount.commit(name);
    await turn();
    await byCount.disk.finish();
    expect(byCount.disk.batches).toEqual([['a', 'b'], ['c']]);

    const byBytes = setUp({ batchBytes: 100 });
    byBytes.commit('a', 60);
    byBytes.commit('b', 40);
    byBytes.commit('c', 200);
    byBytes.commit('d', 10);
    await turn();
    await byBytes.disk.finish();
    await byBytes.disk.finish();
    expect(byBytes.disk.batches).toEqual([['a', 'b'], ['c'], ['d']]);
  });

  it('refuses at once what is too large', () => {
    const { queue } = setUp({ commitOperations: 2, commitBytes: 100 });
    const operation: Operation = { type: 'del', key: 'a' };
    expect(() => queue.commit([operation, operation, operation])).toThrow(
      expect.objectContaining({ code: 'COMMIT_TOO_LARGE' }),
    );
    expect(() => queue.commit([{ type: 'put', key: 'a', value: new Uint8Array(100) }])).toThrow(
      expect.objectContaining({ code: 'COMMIT_TOO_LARGE' }),
    );
  });

  it('refuses at once when too many commits or bytes wait, and takes more when they are written', async () => {
    const busy = expect.objectContaining({ code: 'STORE_BUSY' });
    const byCount = setUp({ waitingCommits: 2 });
    byCount.commit('a');
    byCount.commit('b');
    expect(() => byCount.commit('c')).toThrow(busy);
    await turn();
    byCount.commit('c');

    const byBytes = setUp({ waitingBytes: 500 });
    byBytes.commit('a', 300);
    expect(() => byBytes.commit('b', 300)).toThrow(busy);
    byBytes.commit('c', 200);
    await turn();
    byBytes.commit('b', 300);
    await byBytes.disk.finish();
    expect(byBytes.outcomes).toContain('c done');
  });

  it('fails everything after a failed batch, and says so once', async () => {
    const { disk, queue, failures, commit, outcomes } = setUp();
    commit('a');
    await turn();
    commit('b');
    await disk.fail(storeFailed('to write'));
    expect(outcomes).toEqual(['a STORE_FAILED', 'b STORE_FAILED']);
    expect(() => commit('c')).toThrow(expect.objectContaining({ code: 'STORE_FAILED' }));
    expect(disk.batches).toEqual([['a']]);
    expect(failures.map((error) => error.code)).toEqual(['STORE_FAILED']);
    await queue.close();
  });

  it('stops too when what follows a durable batch throws', async () => {
    const { disk, queue, failures } = setUp();
    const written = queue.commit([{ type: 'del', key: 'a' }], () => {
      throw new Error('a fault');
    });
    const [outcome] = await Promise.allSettled([written, turn().then(() => disk.finish())]);
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'STORE_FAILED' } });
    expect(failures).toHaveLength(1);
  });

  it('closes when what it took is written, and takes nothing more', async () => {
    const { disk, queue, commit, outcomes } = setUp({ batchOperations: 1 });
    commit('a');
    commit('b');
    await turn();
    let closed = false;
    const closing = queue.close().then(() => {
      closed = true;
    });
    expect(() => commit('c')).toThrow(expect.objectContaining({ code: 'STORE_CLOSED' }));
    await disk.finish();
    expect(closed).toBe(false);
    await disk.finish();
    await closing;
    expect(outcomes).toEqual(['a durable', 'a done', 'b durable', 'b done']);
  });
});
