import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JobEvent } from '../../src/domain/job/job-event.ts';
import type { Store } from '../../src/store/index.ts';
import { defaultStoreLimits, type StoreLimits } from '../../src/store/options.ts';
import * as make from '../unit/store/market-records.ts';

export interface StoreFixture {
  /** Opens the same store each time. */
  open(limits: StoreLimits): Promise<Store>;
  /** Sets the wall time. */
  setNow(wallMs: number): void;
  remove(): Promise<void>;
}

const conflict = { code: 'REVISION_CONFLICT' };

/** The contract of `JobStore`, on every database. */
export function jobStoreSuite(name: string, setUp: () => Promise<StoreFixture>): void {
  describe(`the job store on ${name}`, () => {
    let fixture: StoreFixture;
    let store: Store;

    const reopen = async (limits: Partial<StoreLimits> = {}): Promise<void> => {
      await store.stop();
      store = await fixture.open({ ...defaultStoreLimits, ...limits });
    };

    beforeEach(async () => {
      fixture = await setUp();
      store = await fixture.open(defaultStoreLimits);
    });

    afterEach(async () => {
      await store.stop();
      await fixture.remove();
    });

    it('has nothing of a job that was never made', async () => {
      for (const id of ['none', '', 'a/b', 'x'.repeat(3000), '\ud800']) {
        expect(await store.jobs.snapshot(id)).toBeUndefined();
        expect(await store.jobs.events(id, 0, 10)).toEqual([]);
        expect(await store.jobs.contractsOf(id)).toEqual([]);
        expect(await store.jobs.searchesOf(id)).toEqual([]);
        expect(await store.jobs.contract(id)).toBeUndefined();
        expect(await store.jobs.byIdempotencyKey(id)).toBeUndefined();
      }
      expect(await store.jobs.openJobs()).toEqual([]);
      expect(await store.jobs.list({ limit: 10 })).toEqual({ items: [] });
    });

    it('shows a change that is being written to whoever asks for the newest, and to nobody else', async () => {
      await store.jobs.commit(make.created('j'));
      const contract = make.contract('j', 'c1', { proposedAt: 2 });
      const execution = make.execution('j', 0, 1);
      const first = await store.jobs.begin({ jobId: 'j', revision: 1, executions: [execution], events: [] });
      const second = await store.jobs.begin({ jobId: 'j', revision: 2, contracts: [contract], events: [] });
      expect([first.after.revision, second.after.revision]).toEqual([2, 3]);
      expect(await store.jobs.newest('j')).toEqual(second.after);
      expect(await store.jobs.newestContract('c1')).toEqual(contract);
      await store.jobs.settled('j');
      await store.jobs.settled('none');
      expect(await store.jobs.snapshot('j')).toEqual(second.after);
      await second.durable;
      expect(await store.jobs.contract('c1')).toEqual(contract);
      expect(await store.jobs.newestContract('c1')).toEqual(contract);
      expect(second.after.executions).toEqual([execution]);
      await first.durable;
      expect(await store.jobs.newest('none')).toBeUndefined();
      expect(await store.jobs.newestContract('none')).toBeUndefined();
      const stale = store.jobs.begin({ jobId: 'j', revision: 1, events: [] });
      await expect(stale).rejects.toMatchObject({ code: 'REVISION_CONFLICT' });
    });

    it('gives back all parts of a job, sorted, also after it was opened again', async () => {
      const parts = [make.execution('j', 1, 1), make.execution('j', 0, 2), make.execution('j', 0, 1)];
      await store.jobs.commit(make.created('j'));
      await store.jobs.commit({
        jobId: 'j',
        revision: 1,
        executions: parts,
        search: make.search('j', 1),
        contracts: [make.contract('j', 'c2', { proposedAt: 2 }), make.contract('j', 'c1', { proposedAt: 3 })],
        events: [
          { type: 'search.opened', at: 2, data: { round: 1 } },
          { type: 'bid.received', at: 3 },
        ],
      });
      const changed = { ...make.execution('j', 0, 2), desired: 'Stopped' } as const;
      const last = await store.jobs.commit({
        jobId: 'j',
        revision: 2,
        executions: [changed],
        search: make.search('j', 2),
        events: [],
      });
      const expected = {
        job: make.job('j'),
        executions: [make.execution('j', 0, 1), changed, make.execution('j', 1, 1)],
        search: make.search('j', 2),
        revision: 3,
      };
      expect(last).toEqual(expected);
      for (const again of [false, true]) {
        if (again) await reopen();
        expect(await store.jobs.snapshot('j')).toEqual(expected);
        expect(await store.jobs.searchesOf('j')).toEqual([make.search('j', 1), make.search('j', 2)]);
        expect((await store.jobs.contractsOf('j')).map((contract) => contract.contractId)).toEqual([
          'c2',
          'c1',
        ]);
        expect(await store.jobs.contract('c1')).toEqual(make.contract('j', 'c1', { proposedAt: 3 }));
        expect(await store.jobs.events('j', 0, 10)).toEqual([
          { type: 'job.posted', at: 1, seq: 1 },
          { type: 'search.opened', at: 2, data: { round: 1 }, seq: 2 },
          { type: 'bid.received', at: 3, seq: 3 },
        ]);
      }
    });

    it('keeps the newest search when an older round is written late', async () => {
      await store.jobs.commit({ ...make.created('j'), search: make.search('j', 2) });
      const late = { ...make.search('j', 1), state: 'closed' } as const;
      const snapshot = await store.jobs.commit({ jobId: 'j', revision: 1, search: late, events: [] });
      expect(snapshot.search?.round).toBe(2);
      await reopen();
      expect((await store.jobs.snapshot('j'))?.search?.round).toBe(2);
      expect(await store.jobs.searchesOf('j')).toEqual([late, make.search('j', 2)]);
    });

    it('keeps jobs apart whose ids begin alike', async () => {
      await Promise.all(['j', 'j0', 'j.'].map((id) => store.jobs.commit(make.created(id))));
      await store.jobs.commit({
        jobId: 'j0',
        revision: 1,
        executions: [make.execution('j0', 0, 1)],
        events: [{ type: 'job.queued', at: 2 }],
      });
      await reopen();
      expect((await store.jobs.snapshot('j'))?.executions).toEqual([]);
      expect(await store.jobs.events('j', 0, 10)).toHaveLength(1);
      expect(await store.jobs.events('j0', 0, 10)).toHaveLength(2);
    });

    it('refuses any revision but the present one', async () => {
      await expect(store.jobs.commit({ ...make.created('j'), revision: 1 })).rejects.toMatchObject(conflict);
      await store.jobs.commit(make.created('j'));
      await expect(store.jobs.commit(make.created('j'))).rejects.toMatchObject({
        ...conflict,
        data: { jobId: 'j', expected: 0, revision: 1 },
      });
      await reopen();
      await expect(store.jobs.commit(make.created('j'))).rejects.toMatchObject(conflict);
      await store.jobs.commit({ jobId: 'j', revision: 1, events: [] });
    });

    it('takes one of two changes of the same revision, also while neither is on disk', async () => {
      await store.jobs.commit(make.created('j'));
      const change = (text: string): Promise<unknown> =>
        store.jobs.commit({
          jobId: 'j',
          revision: 1,
          job: make.job('j', { why: make.told(text) }),
          events: [],
        });
      const [first, second] = await Promise.allSettled([change('first'), change('second')]);
      expect(first.status).toBe('fulfilled');
      expect(second).toMatchObject({ status: 'rejected', reason: conflict });
      expect(await store.jobs.snapshot('j')).toMatchObject({ revision: 2, job: { why: make.told('first') } });
    });

    it('builds on changes that are not on disk yet, and reads only what is', async () => {
      const heard: string[] = [];
      store.jobs.watch('j', (events) => heard.push(events.map(({ seq }) => seq).join('+')));
      const commits = [
        store.jobs.commit(make.created('j')),
        ...[1, 2, 3].map((revision) =>
          store.jobs.commit({
            jobId: 'j',
            revision,
            executions: [make.execution('j', revision, 1)],
            events: revision === 2 ? [] : [{ type: 'execution.started', at: revision }],
          }),
        ),
      ];
      const early = store.jobs.snapshot('j');
      const revisions = (await Promise.all(commits)).map((snapshot) => snapshot.revision);
      expect(revisions).toEqual([1, 2, 3, 4]);
      expect(await early).toBeUndefined();
      expect(heard).toEqual(['1', '2', '', '3']);
      expect((await store.jobs.events('j', 0, 10)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
      expect((await store.jobs.snapshot('j'))?.executions).toHaveLength(3);
    });

    it('leaves everything as it was when a change cannot be written', async () => {
      await store.jobs.commit(make.created('j'));
      const bad: readonly Partial<Parameters<Store['jobs']['commit']>[0]>[] = [
        { events: [{ type: 'job.failed', at: 1, data: { broken: undefined } }] },
        { executions: [make.execution('other', 0, 1)] },
        { search: make.search('other', 1) },
        { search: make.search('j', 0) },
        { contracts: [make.contract('other', 'c')] },
        { job: make.job('other') },
        { job: make.job('j', { createdAt: 5 }) },
        { idempotency: { key: 'k', bodyDigest: 'd' } },
      ];
      for (const part of bad) {
        const [outcome] = await Promise.allSettled([
          store.jobs.commit({ jobId: 'j', revision: 1, events: [], ...part }),
        ]);
        expect({ part, status: outcome.status }).toEqual({ part, status: 'rejected' });
      }
      await expect(store.jobs.commit({ jobId: 'new', revision: 0, events: [] })).rejects.toMatchObject({
        code: 'ASSERTION',
      });
      expect(await store.jobs.snapshot('j')).toMatchObject({ revision: 1, executions: [] });
      expect(await store.jobs.commit({ jobId: 'j', revision: 1, events: [] })).toMatchObject({ revision: 2 });
      expect(await store.jobs.byIdempotencyKey('k')).toBeUndefined();
    });

    it('makes one job of two posts with one key; the other one learns of it when it is durable', async () => {
      const post = (id: string, bodyDigest: string): Promise<unknown> =>
        store.jobs.commit({ ...make.created(id), idempotency: { key: 'key/ 1', bodyDigest } });
      const [first, second] = await Promise.allSettled([
        post('a', 'x'),
        post('b', 'y').catch(async (error: unknown) => {
          throw Object.assign(Object(error), { winner: await store.jobs.snapshot('a') });
        }),
      ]);
      expect(first.status).toBe('fulfilled');
      expect(second).toMatchObject({ reason: { winner: { revision: 1 } } });
      const taken = { code: 'IDEMPOTENCY_TAKEN', data: { jobId: 'a', bodyDigest: 'x' } };
      expect(second).toMatchObject({ status: 'rejected', reason: taken });
      expect(await store.jobs.snapshot('b')).toBeUndefined();
      await reopen();
      expect(await store.jobs.byIdempotencyKey('key/ 1')).toMatchObject({ jobId: 'a', bodyDigest: 'x' });
      await expect(post('c', 'x')).rejects.toMatchObject(taken);
    });

    it('gives a key to the next one when the first post fails', async () => {
      const idempotency = { key: 'k', bodyDigest: 'd' };
      const [first, second] = await Promise.allSettled([
        store.jobs.commit({ ...make.created('a'), revision: 7, idempotency }),
        store.jobs.commit({ ...make.created('b'), idempotency }),
      ]);
      expect(first).toMatchObject({ status: 'rejected', reason: conflict });
      expect(second.status).toBe('fulfilled');
      expect(await store.jobs.byIdempotencyKey('k')).toMatchObject({ jobId: 'b' });
    });

    it('reads events from a place on, so many at a time', async () => {
      await store.jobs.commit({
        ...make.created('j'),
        events: Array.from({ length: 12 }, (_, at) => ({ type: 'bid.received', at }) as const),
      });
      const seqs = async (after: number, limit: number): Promise<number[]> =>
        (await store.jobs.events('j', after, limit)).map(({ seq }) => seq);
      expect(await seqs(0, 3)).toEqual([1, 2, 3]);
      expect(await seqs(9, 100)).toEqual([10, 11, 12]);
      expect(await seqs(12, 100)).toEqual([]);
      await reopen({ eventsPerRead: 2 });
      expect(await seqs(0, 100)).toEqual([1, 2]);
      await store.jobs.commit({ jobId: 'j', revision: 1, events: [{ type: 'job.failed', at: 1 }] });
      expect(await seqs(11, 100)).toEqual([12, 13]);
    });

    it('tells followers of a job until they leave, whatever another follower does', async () => {
      await reopen({ watchers: 3 });
      const heard: JobEvent[] = [];
      store.jobs.watch('j', () => {
        throw new Error('a fault of the follower');
      });
      const leave = store.jobs.watch('j', (events) => heard.push(...events));
      store.jobs.watch('other', (events) => heard.push(...events));
      const tooMany = expect.objectContaining({ code: 'TOO_MANY_WATCHERS' });
      expect(() => store.jobs.watch('j', () => {})).toThrow(tooMany);
      await store.jobs.commit(make.created('j'));
      leave();
      leave();
      await store.jobs.commit({ jobId: 'j', revision: 1, events: [{ type: 'job.queued', at: 2 }] });
      expect(heard).toEqual([{ type: 'job.posted', at: 1, seq: 1 }]);
      store.jobs.watch('j', () => {})();
      store.jobs.watch('j', () => {});
      expect(() => store.jobs.watch('j', () => {})).toThrow(tooMany);
    });

    it('knows the open jobs, oldest first', async () => {
      const times = { b: 2, c: 3, a: 1 };
      for (const [id, createdAt] of Object.entries(times)) {
        await store.jobs.commit(make.created(id, { createdAt }));
      }
      await store.jobs.commit({
        jobId: 'b',
        revision: 1,
        job: make.job('b', { createdAt: 2, state: 'Failed', finishedAt: 9 }),
        events: [],
      });
      await store.jobs.commit(make.created('d', { createdAt: 4, state: 'Completed', finishedAt: 9 }));
      expect(await store.jobs.openJobs()).toEqual(['a', 'c']);
      await reopen();
      expect(await store.jobs.openJobs()).toEqual(['a', 'c']);
    });

    describe('lists', () => {
      const pages = async (filter: {
        readonly state?: 'Failed';
        readonly limit: number;
      }): Promise<string[]> => {
        const found: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await store.jobs.list({ ...filter, ...(cursor === undefined ? {} : { cursor }) });
          found.push(page.items.map(({ job }) => job.id).join(','));
          cursor = page.nextCursor;
        } while (cursor !== undefined);
        return found;
      };

      beforeEach(async () => {
        for (let index = 0; index < 7; index += 1) {
          await store.jobs.commit(make.created(`j${index}`, { createdAt: 100 + index }));
        }
      });

      it('newest first, page by page, with no page behind the last job', async () => {
        expect(await pages({ limit: 3 })).toEqual(['j6,j5,j4', 'j3,j2,j1', 'j0']);
        expect(await pages({ limit: 7 })).toEqual(['j6,j5,j4,j3,j2,j1,j0']);
        await reopen({ pageItems: 4 });
        expect(await pages({ limit: 1000 })).toEqual(['j6,j5,j4,j3', 'j2,j1,j0']);
      });

      it('goes on from its cursor when jobs come in between', async () => {
        const first = await store.jobs.list({ limit: 2 });
        await store.jobs.commit(make.created('new', { createdAt: 999 }));
        const second = await store.jobs.list({ limit: 2, cursor: first.nextCursor ?? '' });
        expect(second.items.map(({ job }) => job.id)).toEqual(['j4', 'j3']);
      });

      it('by state, name and label', async () => {
        const named = { createdAt: 50, spec: { name: 'other', labels: { team: 'a' } } };
        await store.jobs.commit(make.created('named', named));
        await store.jobs.commit({
          jobId: 'j3',
          revision: 1,
          job: make.job('j3', { createdAt: 103, state: 'Failed', finishedAt: 200 }),
          events: [],
        });
        const ids = async (filter: object): Promise<string[]> =>
          (await store.jobs.list({ limit: 10, ...filter })).items.map(({ job }) => job.id);
        expect(await ids({ state: 'Failed' })).toEqual(['j3']);
        expect(await ids({ state: 'Running' })).toEqual([]);
        expect(await ids({ name: 'other' })).toEqual(['named']);
        expect(await ids({ label: { key: 'team', value: 'a' } })).toEqual(['named']);
        expect(await ids({ label: { key: 'team', value: 'b' } })).toEqual([]);
        expect(await ids({ label: { key: 'constructor', value: 'a' } })).toEqual([]);
        expect(await ids({ name: 'hello', state: 'Pending' })).toHaveLength(6);
      });

      it('by the beginning of an id, and no more than are asked for', async () => {
        await store.jobs.commit(make.created('k0', { createdAt: 1 }));
        const ids = async (idPrefix: string, limit = 10): Promise<string[]> =>
          (await store.jobs.list({ limit, idPrefix })).items.map(({ job }) => job.id);
        expect(await ids('j')).toEqual(['j6', 'j5', 'j4', 'j3', 'j2', 'j1', 'j0']);
        expect(await ids('j', 2)).toEqual(['j6', 'j5']);
        expect(await ids('k')).toEqual(['k0']);
        expect(await ids('j3')).toEqual(['j3']);
        for (const none of ['j33', 'i', '', '/', '!', '\ud800']) expect(await ids(none)).toEqual([]);
        await reopen({ pageItems: 3 });
        expect(await ids('j', 1000)).toHaveLength(3);
      });

      it('looks at a bounded number of jobs and answers with a cursor', async () => {
        await store.jobs.commit(make.created('f', { createdAt: 1, state: 'Failed', finishedAt: 2 }));
        await reopen({ listScan: 3 });
        expect(await pages({ state: 'Failed', limit: 5 })).toEqual(['', '', 'f']);
      });

      it('refuses a cursor of something else', async () => {
        for (const cursor of ['', 'x', 'j1', '0000000000000101', '0000000000000101/', '../1']) {
          await expect(store.jobs.list({ limit: 1, cursor })).rejects.toMatchObject({
            code: 'CURSOR_INVALID',
          });
        }
      });
    });

    it('reads a job that was pushed out of memory', async () => {
      await reopen({ cachedJobs: 1 });
      for (const id of ['a', 'b', 'c']) {
        await store.jobs.commit({ ...make.created(id), executions: [make.execution(id, 0, 1)] });
      }
      for (const id of ['a', 'b', 'c']) {
        const snapshot = await store.jobs.commit({ jobId: id, revision: 1, events: [] });
        expect(snapshot).toMatchObject({ revision: 2, executions: [{ jobId: id }] });
      }
    });

    it('takes no new job under the id of one that was pushed out of memory', async () => {
      await reopen({ cachedJobs: 1 });
      for (const id of ['a', 'b']) await store.jobs.commit(make.created(id));
      await expect(store.jobs.commit(make.created('a'))).rejects.toMatchObject({
        code: 'REVISION_CONFLICT',
        data: { jobId: 'a', revision: 1 },
      });
    });

    describe('prunes finished jobs', () => {
      const finished = async (id: string, finishedAt: number): Promise<void> => {
        await store.jobs.commit({
          ...make.created(id, { createdAt: 10, state: 'Completed', finishedAt }),
          executions: [make.ended(make.execution(id, 0, 1))],
          search: make.search(id, 1),
          contracts: [make.contract(id, `c-${id}`)],
          idempotency: { key: `k-${id}`, bodyDigest: 'd' },
        });
      };
      const ids = async (): Promise<string[]> =>
        (await store.jobs.list({ limit: 100 })).items.map(({ job }) => job.id).toReversed();

      const prune = async (
        olderThanMs: number,
        keepAtMost: number,
      ): Promise<{ jobIds: readonly string[]; more: boolean }> => {
        const { jobIds, executionIds, more } = await store.jobs.pruneFinished(olderThanMs, keepAtMost);
        expect(executionIds).toEqual(jobIds.map((id) => `${id}.v1.p0r0.a1`));
        return { jobIds, more };
      };

      beforeEach(async () => {
        await store.jobs.commit(make.created('open', { createdAt: 1 }));
        for (const [index, id] of ['a', 'b', 'c', 'd'].entries()) await finished(id, 100 + index);
        fixture.setNow(1000);
        await reopen({ pruneGraceMs: 0 });
      });

      it('that ended too long ago, with all their parts', async () => {
        const twin = make.created('a0', { createdAt: 11 });
        await store.jobs.commit({ ...twin, contracts: [make.contract('a0', 'c-a0')] });
        expect(await prune(899, 100)).toEqual({ jobIds: ['a', 'b'], more: false });
        expect(await store.jobs.snapshot('a')).toBeUndefined();
        expect(await prune(899, 100)).toEqual({ jobIds: [], more: false });
        for (const again of [false, true]) {
          if (again) await reopen();
          expect(await ids()).toEqual(['open', 'c', 'd', 'a0']);
          expect(await store.jobs.snapshot('a')).toBeUndefined();
          expect(await store.jobs.events('a', 0, 10)).toEqual([]);
          expect(await store.jobs.searchesOf('a')).toEqual([]);
          expect(await store.jobs.contractsOf('a')).toEqual([]);
          expect(await store.jobs.contract('c-a')).toBeUndefined();
          expect(await store.jobs.contract('c-a0')).toBeDefined();
          expect(await store.jobs.byIdempotencyKey('k-a')).toBeUndefined();
          expect(await store.jobs.events('a0', 0, 10)).toHaveLength(1);
        }
        await expect(store.jobs.commit({ jobId: 'a', revision: 1, events: [] })).rejects.toMatchObject(
          conflict,
        );
      });

      it('the oldest of those that are too many, also after it was opened again', async () => {
        await reopen({ pruneGraceMs: 0 });
        expect(await prune(10_000, 3)).toEqual({ jobIds: ['a'], more: false });
        expect(await prune(10_000, 3)).toEqual({ jobIds: [], more: false });
        expect(await prune(10_000, 0)).toEqual({ jobIds: ['b', 'c', 'd'], more: false });
        expect(await ids()).toEqual(['open']);
      });

      it('but none for there being too many that has just ended', async () => {
        await reopen({ pruneGraceMs: 899 });
        expect(await prune(10_000, 0)).toEqual({ jobIds: ['a', 'b'], more: false });
        expect(await prune(898, 0)).toEqual({ jobIds: ['c'], more: false });
      });

      it('a bounded number of them at a time', async () => {
        await reopen({ pruneScan: 3 });
        expect(await prune(0, 100)).toEqual({ jobIds: ['a', 'b', 'c'], more: true });
        expect(await prune(0, 100)).toEqual({ jobIds: ['d'], more: false });
      });

      it('but none with work that is not over, and those behind it all the same', async () => {
        await reopen({ pruneGraceMs: 0, pruneScan: 1 });
        const live = { ...make.execution('a', 0, 2), attempt: 2 };
        await store.jobs.commit({ jobId: 'a', revision: 1, executions: [live], events: [] });
        expect(await prune(0, 0)).toEqual({ jobIds: [], more: true });
        expect(await prune(0, 0)).toEqual({ jobIds: ['b'], more: true });
        expect(await prune(0, 0)).toEqual({ jobIds: ['c'], more: true });
        expect(await prune(0, 0)).toEqual({ jobIds: ['d'], more: false });
        await store.jobs.commit({ jobId: 'a', revision: 2, executions: [make.ended(live)], events: [] });
        expect(await store.jobs.pruneFinished(0, 0)).toEqual({
          jobIds: ['a'],
          executionIds: ['a.v1.p0r0.a1', 'a.v1.p0r0.a2'],
          more: false,
        });
      });
    });
  });
}
