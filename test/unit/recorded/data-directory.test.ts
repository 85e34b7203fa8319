import { access, chmod, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ContentStore, createContentStore } from '../../../src/content/index.ts';
import { loadIdentity } from '../../../src/identity/index.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { contentOf as contentOfJob } from '../../../src/orchestrator/intake/process-job.ts';
import { openStore, type Store } from '../../../src/store/index.ts';
import { defaultStoreLimits } from '../../../src/store/options.ts';
import { eventSentence } from '../../../src/words/event-words.ts';
import { jobSentence } from '../../../src/words/job-words.ts';
import { rankPhrase } from '../../../src/words/rank-words.ts';
import { FakeClock } from '../../simulation/fake-clock.ts';
import { SeededRandom } from '../../simulation/seeded-random.ts';
import expected from '../../fixtures/recorded-0.1.0/expected.json' with { type: 'json' };
import { ScriptedTransport } from '../content/content-fixtures.ts';

const RECORDED = fileURLToPath(new URL('../../fixtures/recorded-0.1.0', import.meta.url));

let folder = '';
const stops: (() => Promise<void>)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'recorded-'));
  await cp(RECORDED, folder, { recursive: true });
  for (const role of ['requester', 'provider']) {
    // A checkout does not keep who may read what.
    await chmod(join(folder, role), 0o700);
    await chmod(join(folder, role, 'identity.json'), 0o600);
  }
});

afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
  await rm(folder, { recursive: true });
});

async function storeOf(role: 'requester' | 'provider'): Promise<Store> {
  const options = {
    folder: join(folder, role, 'store'),
    contentFolder: join(folder, role, 'content'),
    limits: defaultStoreLimits,
  };
  const store = await openStore(options, { clock: new FakeClock(), logger: silentLogger });
  stops.push(() => store.stop());
  return store;
}

async function contentOf(store: Store): Promise<ContentStore> {
  const content = createContentStore(
    { limits: {} },
    {
      records: store.content,
      files: store.blocks,
      transport: new ScriptedTransport(),
      clock: new FakeClock(),
      logger: silentLogger,
    },
  );
  await content.start();
  stops.push(() => content.stop());
  return content;
}

const jobs = Object.entries(expected.jobs);

describe('a data directory of version 0.1.0', () => {
  it.each(['requester', 'provider'] as const)('has the key of its %s', async (role) => {
    const { peerId } = await loadIdentity(join(folder, role), new SeededRandom(1));
    expect(peerId).toBe(expected[role]);
  });

  it('has every job as it was', async () => {
    const { jobs: store } = await storeOf('requester');
    for (const [name, { id, state, executions }] of jobs) {
      const snapshot = await store.snapshot(id);
      expect(snapshot?.job).toMatchObject({ id, state, spec: { name } });
      const states = snapshot?.executions.map((known) => [known.id, known.observed.state]);
      expect(states).toEqual(executions.map((known) => [known.id, known.state]));
      expect((await store.events(id, 0, 100)).length).toBeGreaterThan(0);
    }
    const listed = await store.list({ limit: 100 });
    expect(listed.items.length).toBe(jobs.length);
    expect((await store.byIdempotencyKey('key-1'))?.jobId).toBe(expected.jobs.completed.id);
    expect(new Set(await store.openJobs())).toEqual(
      new Set([expected.jobs.queued.id, expected.jobs.running.id]),
    );
  });

  it('has the sentences of before reasons were data', async () => {
    const { jobs: store } = await storeOf('requester');
    const told: string[] = [];
    for (const [, { id }] of jobs) {
      const { job, executions } = (await store.snapshot(id)) ?? {};
      const ends = (executions ?? []).flatMap(({ observed }) =>
        'end' in observed ? [observed.end.why] : [],
      );
      expect(ends.every(({ code }) => code === 'unknown' || code === 'no-contract')).toBe(true);
      if (job?.why !== undefined) told.push(jobSentence(job.why));
      for (const { index } of await store.searchesOf(id)) {
        const ranks = index.entries.flatMap((entry) => entry.ranks);
        expect(ranks.map(({ why }) => why.code)).toEqual(ranks.map(() => 'unknown'));
        expect(ranks.map(({ why }) => rankPhrase(why))).not.toContain('');
      }
      for (const { type, why } of await store.events(id, 0, 100)) {
        if (type === 'job.failed') told.push(why === undefined ? '' : eventSentence(why));
      }
    }
    expect(told.length).toBeGreaterThan(1);
    expect(told).not.toContain('');
  });

  it('has the contracts of both sides, and what is under way', async () => {
    const { jobs: requesterJobs } = await storeOf('requester');
    const { provider } = await storeOf('provider');
    const { leases, executions } = await provider.load();
    const running = expected.jobs.running.executions.map(({ id }) => id);
    expect(new Set(executions.filter(({ settled }) => !settled).map(({ item }) => item.executionId))).toEqual(
      new Set(running),
    );
    expect(leases.filter(({ state }) => state === 'committed').length).toBe(running.length);
    const contracts = await requesterJobs.contractsOf(expected.jobs.running.id);
    expect(contracts.length).toBe(running.length);
    for (const { contractId } of contracts) {
      expect((await provider.contract(contractId))?.contractId).toBe(contractId);
    }
  });

  it('has its content with whoever keeps it, and no journal beside the records', async () => {
    const store = await storeOf('requester');
    const content = await contentOf(store);
    const execution = expected.jobs.completed.executions[0]?.id ?? '';
    expect(store.content.pinsOf(execution).size).toBe(1);
    for (const id of await store.jobs.openJobs()) {
      const spec = (await store.jobs.snapshot(id))?.job.spec;
      for (const { cid, size } of spec === undefined ? [] : contentOfJob(spec)) {
        expect(store.content.pinsOf(id).has(cid)).toBe(true);
        expect(await content.sizeOf(cid)).toBe(size);
      }
    }
    await expect(access(join(folder, 'requester', 'content', 'journal'))).rejects.toThrow('ENOENT');
  });

  it('opens once more as it was left', async () => {
    const first = await storeOf('requester');
    const objects = [...first.content.objects()];
    await first.stop();
    const second = await storeOf('requester');
    expect([...second.content.objects()]).toEqual(objects);
    expect((await second.jobs.snapshot(expected.jobs.running.id))?.job.namespace).toBe('default');
  });

  it('has the results of what was completed', async () => {
    const store = await storeOf('requester');
    const content = await contentOf(store);
    const snapshot = await store.jobs.snapshot(expected.jobs.completed.id);
    const observed = snapshot?.executions[0]?.observed;
    if (observed?.state !== 'Completed') throw new Error('it was completed');
    const paths = (await content.tree(observed.resultCid)).map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['stdout', 'outputs/out/a.txt']));
  });
});
