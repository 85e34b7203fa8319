import { encode } from '@ipld/dag-cbor';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/lib/logger.ts';
import type { Database } from '../../../src/store/database.ts';
import { openStore, type Store } from '../../../src/store/index.ts';
import { MemoryDisk } from '../../simulation/memory-disk.ts';
import { defaultStoreLimits } from '../../../src/store/options.ts';
import { HurriedClock, seededRandom } from './clocks.ts';
import * as make from './market-records.ts';

const options = { folder: 'memory', contentFolder: 'memory', limits: defaultStoreLimits };

class Fixture {
  readonly clock = new HurriedClock();
  readonly disk = new MemoryDisk({ clock: this.clock, random: seededRandom(1) });

  async open(): Promise<Store> {
    return openStore(options, {
      clock: this.clock,
      logger: silentLogger,
      database: await this.disk.open(),
    });
  }

  /** Changes every value under these keys. */
  async damage(prefix: string, by: (bytes: Uint8Array) => Uint8Array): Promise<number> {
    const database: Database = await this.disk.open();
    const found: [string, Uint8Array][] = [];
    for await (const [key, value] of database.range({ gte: prefix, lt: `${prefix}\u{10ffff}` })) {
      if (value.length > 0) found.push([key, by(value)]);
    }
    await database.batch(found.map(([key, value]) => ({ type: 'put', key, value })));
    await database.close();
    return found.length;
  }
}

/** Two of everything: `a` stays as it is. */
async function filled(): Promise<Fixture> {
  const fixture = new Fixture();
  const store = await fixture.open();
  for (const id of ['a', 'b']) {
    await store.jobs.commit({
      ...make.created(id),
      executions: [make.execution(id, 0, 1)],
      search: make.search(id, 1),
      contracts: [make.contract(id, `${id}-contract`)],
      idempotency: { key: id, bodyDigest: 'd' },
      events: [{ type: 'job.posted', at: 1 }],
    });
    await store.provider.commit({
      leases: [make.lease(id, 7, 'committed')],
      executions: [make.providerExecution(id)],
      nevers: [make.never(id)],
      answers: [make.answer(id, 1)],
    });
  }
  await store.stop();
  return fixture;
}

const flipped = (bytes: Uint8Array): Uint8Array =>
  bytes.map((byte, index) => (index === bytes.length - 1 ? byte ^ 1 : byte));
const newer = (bytes: Uint8Array): Uint8Array => Uint8Array.of(3, ...bytes.subarray(1));
const cut = (bytes: Uint8Array): Uint8Array => bytes.slice(0, -4);
const empty = (): Uint8Array => Uint8Array.of(0);

const BUCKETS = [
  'job!b',
  'job-head!b',
  'job-listing!',
  'execution!b/',
  'search!b/',
  'contract!b/',
  'contract-owner!b',
  'event!b/',
  'idempotency!b',
  'lease!b',
  'lock-version!',
  'provider-execution!b',
  'provider-never!b',
  'answer!b',
  'clock!',
];

describe('a record that cannot be read', () => {
  const damages = [
    ['flipped', flipped],
    ['of a newer version', newer],
    ['cut off', cut],
    ['emptied', empty],
  ] as const;
  const cases = BUCKETS.flatMap((prefix) => damages.map(([what, by]) => [prefix, what, by] as const));

  it.each(cases)(
    'does not keep a node from starting, nor from the others: %s is %s',
    async (prefix, _, by) => {
      const fixture = await filled();
      expect(await fixture.damage(prefix, by)).toBeGreaterThan(0);
      const store = await fixture.open();
      const { jobs, provider } = store;
      expect((await jobs.snapshot('a'))?.job.id).toBe('a');
      expect((await jobs.contractsOf('a')).length).toBe(1);
      expect((await jobs.events('a', 0, 10)).length).toBe(1);
      await jobs.list({ limit: 10 });
      expect(await jobs.openJobs()).toEqual(['a', 'b']);
      const loaded = await provider.load();
      expect(loaded.leases.map(({ lockId }) => lockId)).toContain('a');
      expect(loaded.executions.map(({ item }) => item.executionId)).toContain('a');
      expect(loaded.highestLockVersion).toBeGreaterThanOrEqual(7);
      await provider.pruneEnded({ endedContractsMs: 0, neverBegunMs: 0, neversMs: 1_000_000 });
      expect(await jobs.events('b', 0, 10)).toBeDefined();
      await jobs.pruneFinished(0, 0);
      await jobs.snapshot('b').catch(() => undefined);
      await jobs.searchesOf('b');
      await jobs.contract('b-contract').catch(() => undefined);
      await jobs.byIdempotencyKey('b').catch(() => undefined);
      await provider.never('b').catch(() => undefined);
      await provider.answer('b').catch(() => undefined);
      const { count, first } = store.damage();
      expect(count).toBeGreaterThan(0);
      expect(first[0]).toMatchObject({
        where: expect.stringContaining(prefix),
        message: expect.stringMatching(/cannot be read: .*passed over; restore .* backup/),
      });
      await store.stop();
    },
  );

  it('is left where it is, for a version that knows it', async () => {
    const fixture = await filled();
    await fixture.damage('job!b', newer);
    const store = await fixture.open();
    await expect(store.jobs.snapshot('b')).rejects.toMatchObject({
      code: 'RECORD_UNREADABLE',
      message: expect.stringContaining('the form 3, which this version of Bidmesh does not know'),
    });
    await store.stop();
    await fixture.damage('job!b', (bytes) => Uint8Array.of(2, ...bytes.subarray(1)));
    const again = await fixture.open();
    expect((await again.jobs.snapshot('b'))?.job.id).toBe('b');
    expect(again.damage().count).toBe(0);
    await again.stop();
  });

  it('is one without its checksum, as version 0.1.0 wrote it, only where a field is missing', async () => {
    const fixture = await filled();
    const old = (value: unknown): Uint8Array => Uint8Array.of(1, ...encode(value));
    await fixture.damage('job!b', () => old(make.job('b')));
    const store = await fixture.open();
    expect((await store.jobs.snapshot('b'))?.job.id).toBe('b');
    await store.stop();
    const { spec, ...rest } = make.job('b');
    const { engine: _engine, ...incomplete } = spec;
    await fixture.damage('job!b', () => old({ ...rest, spec: incomplete }));
    const again = await fixture.open();
    await expect(again.jobs.snapshot('b')).rejects.toMatchObject({
      code: 'RECORD_UNREADABLE',
      message: expect.stringContaining('it has no spec.engine'),
    });
    expect(await again.jobs.snapshot('a')).toBeDefined();
    await again.stop();
  });

  it('gives no lock version twice, also where the highest one is gone', async () => {
    const fixture = await filled();
    await fixture.damage('lock-version!', flipped);
    const store = await fixture.open();
    expect((await store.provider.load()).highestLockVersion).toBeGreaterThan(7);
    await store.stop();
  });
});
