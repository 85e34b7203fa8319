import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JobCommit } from '../../../src/orchestrator/ports.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { openStore, type Store } from '../../../src/store/index.ts';
import { MemoryDisk } from '../../simulation/memory-disk.ts';
import { defaultStoreLimits } from '../../../src/store/options.ts';
import { ManualClock, seededRandom, turn } from './clocks.ts';
import * as make from './market-records.ts';

type Step =
  | { readonly do: 'commit'; readonly job: string }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'crash' }
  | { readonly do: 'restart' };

const jobIds = ['j', 'j0', 'k'];

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('commit'), job: fc.constantFrom(...jobIds) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait'), ms: fc.integer({ min: 0, max: 8 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart') }) },
);

/** A change that touches every kind of record, each of which shows the revision it came with. */
function changeOf(jobId: string, revision: number): JobCommit {
  return {
    jobId,
    revision,
    job: make.job(jobId, { why: make.told(`change ${revision}`) }),
    executions: [make.execution(jobId, revision, 1)],
    search: make.search(jobId, revision + 1),
    contracts: [make.contract(jobId, `${jobId}-c${revision}`, { proposedAt: revision })],
    ...(revision === 0 ? { idempotency: { key: jobId, bodyDigest: 'd' } } : {}),
    events: [{ type: 'job.queued', at: revision }],
  };
}

class Node {
  readonly clock = new ManualClock();
  readonly disk: MemoryDisk;
  #store: Store | undefined;
  #incarnation = 0;
  #stopping = false;
  readonly surprises: string[] = [];
  readonly submitted = new Map<string, number>();
  readonly acknowledged = new Map<string, number>();

  constructor(seed: number) {
    this.disk = new MemoryDisk(
      { clock: this.clock, random: seededRandom(seed) },
      { leastDelayMs: 1, mostDelayMs: 4 },
    );
  }

  get store(): Store {
    if (this.#store === undefined) throw new Error('not started');
    return this.#store;
  }

  async start(): Promise<void> {
    const options = {
      folder: 'memory',
      contentFolder: 'memory',
      limits: { ...defaultStoreLimits, batchOperations: 12, cachedJobs: 1 },
    };
    const open = async (): Promise<Store> =>
      openStore(options, {
        clock: this.clock,
        logger: silentLogger,
        database: await this.disk.open(),
      });
    this.#store = await this.clock.settle(open());
    this.#incarnation += 1;
    this.#stopping = false;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.clock.settle(this.store.stop());
  }

  commit(jobId: string): void {
    const revision = this.submitted.get(jobId) ?? 0;
    // A post with a key is not in the overlay before the key was looked up, so nothing builds on it meanwhile.
    if (revision === 1 && this.acknowledged.get(jobId) !== 1) return;
    const incarnation = this.#incarnation;
    this.submitted.set(jobId, revision + 1);
    this.store.jobs.commit(changeOf(jobId, revision)).then(
      (snapshot) => {
        if (incarnation !== this.#incarnation) this.surprises.push('an answer after the crash');
        if (snapshot.revision !== revision + 1) this.surprises.push('another revision');
        this.acknowledged.set(jobId, revision + 1);
      },
      (error: unknown) => {
        // What waits when the node stops is refused, and then what builds on it.
        if (!this.#stopping) this.surprises.push(String(error));
      },
    );
  }

  /** Everything that was acknowledged is there, and every change is there as a whole or not at all. */
  async check(): Promise<void> {
    const { jobs } = this.store;
    const listed = (await jobs.list({ limit: 10 })).items.map(({ job }) => job.id);
    for (const jobId of jobIds) {
      const snapshot = await jobs.snapshot(jobId);
      const revision = snapshot?.revision ?? 0;
      expect(revision).toBeGreaterThanOrEqual(this.acknowledged.get(jobId) ?? 0);
      expect(revision).toBeLessThanOrEqual(this.submitted.get(jobId) ?? 0);
      const upTo = Array.from({ length: revision }, (_, index) => index);
      expect(snapshot?.job.why).toEqual(revision === 0 ? undefined : make.told(`change ${revision - 1}`));
      expect((snapshot?.executions ?? []).map(({ partition }) => partition)).toEqual(upTo);
      expect(snapshot?.search?.round).toBe(revision === 0 ? undefined : revision);
      expect((await jobs.searchesOf(jobId)).map(({ round }) => round - 1)).toEqual(upTo);
      const contracts = (await jobs.contractsOf(jobId)).map(({ contractId }) => contractId);
      expect(contracts).toEqual(upTo.map((index) => `${jobId}-c${index}`));
      const events = await jobs.events(jobId, 0, 100);
      expect(events.map(({ seq, at }) => [seq, at])).toEqual(upTo.map((index) => [index + 1, index]));
      expect((await jobs.byIdempotencyKey(jobId))?.jobId).toBe(revision === 0 ? undefined : jobId);
      expect((await jobs.openJobs()).includes(jobId)).toBe(revision > 0);
      expect(listed.includes(jobId)).toBe(revision > 0);
      this.submitted.set(jobId, revision);
      this.acknowledged.set(jobId, revision);
    }
  }
}

describe('a node that crashes', () => {
  it('has every acknowledged change again, and never half of one', async () => {
    expect.hasAssertions();
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }),
        async (seed, steps) => {
          const node = new Node(seed);
          await node.start();
          for (const each of [...steps, { do: 'crash' } as const]) {
            if (each.do === 'commit') node.commit(each.job);
            else if (each.do === 'wait') await node.clock.advance(each.ms);
            else {
              if (each.do === 'crash') node.disk.crash();
              else await node.stop();
              await node.start();
              await node.check();
            }
          }
          expect(node.surprises).toEqual([]);
        },
      ),
      { numRuns: 30, seed: 7 },
    );
  });

  it('goes on removing a job whose removal it had begun', async () => {
    let left = 0;
    for (let seed = 0; seed < 12; seed += 1) {
      const node = new Node(seed);
      await node.start();
      const finished = make.created('j', { state: 'Failed', finishedAt: 1 });
      await node.clock.settle(
        node.store.jobs.commit({
          ...finished,
          executions: [make.ended(make.execution('j', 0, 1))],
          contracts: [make.contract('j', 'c')],
        }),
      );
      void node.store.jobs.pruneFinished(0, 0);
      await node.clock.advance(1 + (seed % 6));
      node.disk.crash();
      await node.start();
      const { jobs } = node.store;
      const there = (await jobs.snapshot('j')) !== undefined;
      expect((await jobs.list({ limit: 1 })).items).toHaveLength(there ? 1 : 0);
      if (!there && (await jobs.contract('c')) !== undefined) left += 1;
      // Whether it was begun or not, all that belonged to it is named once more before it is forgotten.
      expect(await node.clock.settle(jobs.pruneFinished(0, 0))).toEqual({
        jobIds: ['j'],
        executionIds: ['j.v1.p0r0.a1'],
        more: false,
      });
      await node.clock.settle(jobs.pruneFinished(0, 0));
      expect(await jobs.snapshot('j')).toBeUndefined();
      expect(await jobs.contract('c')).toBeUndefined();
      expect(await jobs.events('j', 0, 10)).toEqual([]);
    }
    expect(left).toBeGreaterThan(0);
  });
});

describe('a job that is being changed', () => {
  it('is not pruned before the change is on disk', async () => {
    const node = new Node(1);
    await node.start();
    const { jobs } = node.store;
    for (const id of ['j', 'k']) {
      await node.clock.settle(jobs.commit(make.created(id, { state: 'Failed', finishedAt: 1 })));
    }
    const pruning = jobs.pruneFinished(0, 0);
    const changing = jobs.commit({ jobId: 'j', revision: 1, events: [] });
    expect(await node.clock.settle(pruning)).toMatchObject({ jobIds: ['k'], more: false });
    expect(await node.clock.settle(changing)).toMatchObject({ revision: 2 });
    expect(await node.clock.settle(jobs.pruneFinished(0, 0))).toMatchObject({ jobIds: ['j'], more: false });
    await expect(jobs.commit({ jobId: 'j', revision: 2, events: [] })).rejects.toMatchObject({
      code: 'REVISION_CONFLICT',
    });
  });

  it('is not changed once its removal waits for the disk', async () => {
    const node = new Node(2);
    await node.start();
    const { jobs } = node.store;
    await node.clock.settle(jobs.commit(make.created('j', { state: 'Failed', finishedAt: 1 })));
    const pruning = jobs.pruneFinished(0, 0);
    await turn();
    await expect(jobs.commit({ jobId: 'j', revision: 1, events: [] })).rejects.toMatchObject({
      code: 'REVISION_CONFLICT',
    });
    expect(await jobs.snapshot('j')).toBeDefined();
    expect(await node.clock.settle(pruning)).toMatchObject({ jobIds: ['j'], more: false });
    expect(await jobs.snapshot('j')).toBeUndefined();
  });
});

describe('a node whose disk is full', () => {
  it('fails every change from then on, says so once, and shows none of them', async () => {
    const clock = new ManualClock();
    const disk = new MemoryDisk({ clock, random: seededRandom(1) });
    const failures: string[] = [];
    const open = async (): Promise<Store> =>
      openStore(
        { folder: 'memory', contentFolder: 'memory', limits: defaultStoreLimits },
        {
          clock,
          logger: silentLogger,
          database: await disk.open(),
          onFailure: (error) => failures.push(error.code),
        },
      );
    const store = await clock.settle(open());
    await clock.settle(store.jobs.commit(make.created('j')));
    const heard: unknown[] = [];
    store.jobs.watch('j', (events) => heard.push(events));
    const outcomes = [
      store.jobs.commit({ jobId: 'j', revision: 1, events: [{ type: 'job.queued', at: 1 }] }),
      store.provider.commit({ leases: [make.lease('l', 1)] }),
      store.meta.put('name', Uint8Array.of(1)),
      store.jobs.commit(make.created('k')),
    ].map((outcome) => expect(outcome).rejects.toMatchObject({ code: 'STORE_FAILED' }));
    disk.failWrites();
    await clock.settle(Promise.all(outcomes));
    disk.repair();
    await expect(clock.settle(store.jobs.commit(make.created('l')))).rejects.toMatchObject({
      code: 'STORE_FAILED',
      message: expect.stringContaining('free space'),
    });
    expect(failures).toEqual(['STORE_FAILED']);
    expect(heard).toEqual([]);
    expect(await store.jobs.snapshot('j')).toMatchObject({ revision: 1 });
    expect(await store.jobs.snapshot('k')).toBeUndefined();
    await clock.settle(store.stop());

    const again = await clock.settle(open());
    const revision = (await again.jobs.snapshot('j'))?.revision;
    expect((await again.jobs.events('j', 0, 10)).length).toBe(revision);
    await clock.settle(again.jobs.commit({ jobId: 'j', revision: revision ?? 0, events: [] }));
    await turn();
    await clock.settle(again.stop());
  });
});
