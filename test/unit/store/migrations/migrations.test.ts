import { createHash } from 'node:crypto';
import { access, appendFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../../src/lib/logger.ts';
import type { Database, Operation } from '../../../../src/store/database.ts';
import { bringUpToDate } from '../../../../src/store/format.ts';
import { type Migration, migrations } from '../../../../src/store/migrations/index.ts';
import { countKey } from '../../../../src/store/buckets.ts';
import { JobRecords } from '../../../../src/store/job-records.ts';
import { Repository } from '../../../../src/store/records.ts';
import { ContentDisk, type ImmediateDatabase } from '../../fakes/content-disk.ts';
import * as make from '../market-records.ts';

const NEWEST = migrations.at(-1)?.format ?? 0;

let folder = '';
let disk: ContentDisk;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'migrations-'));
  disk = new ContentDisk();
});

afterEach(() => rm(folder, { recursive: true }));

const journal = (): string => join(folder, 'journal');

function lineOf(change: unknown): string {
  const text = JSON.stringify(change);
  return `${createHash('sha256').update(text).digest('hex').slice(0, 16)} ${text}\n`;
}

function added(cid: string, blocks: readonly (readonly [string, number])[] = [[cid, 1]]): string {
  return lineOf({ op: 'add', object: { cid, bytes: 1, isPublic: false, storedAt: 5, blocks } });
}

async function migrate(database: Database = disk.database, steps = migrations): Promise<void> {
  await bringUpToDate('store', { database, contentFolder: folder, logger: silentLogger }, steps);
}

async function formatIs(format: number): Promise<void> {
  await disk.database.batch([{ type: 'put', key: 'meta!format', value: Uint8Array.of(format) }]);
}

async function everything(database: Database): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const [key, value] of database.range({ gte: '!', lt: '~' })) {
    found[key] = Buffer.from(value).toString('hex');
  }
  return found;
}

function hexOf(format: number): string {
  return Buffer.of(format).toString('hex');
}

describe('the steps', () => {
  it('are numbered without gaps, from the format of version 0.1.0 on', () => {
    expect(migrations.map(({ format }) => format)).toEqual(migrations.map((_, index) => index + 2));
  });

  it('cost a new store one batch', async () => {
    const batches: number[] = [];
    const write = disk.database.batch.bind(disk.database);
    disk.database.batch = (operations) => {
      batches.push(operations.length);
      return write(operations);
    };
    await migrate();
    expect(batches).toEqual([1]);
    expect(await disk.database.get('meta!format')).toEqual(Uint8Array.of(NEWEST));
    await migrate();
    expect(batches).toEqual([1]);
  });

  it('are refused to a store of a newer version, which stays as it is', async () => {
    await formatIs(NEWEST + 1);
    await appendFile(journal(), added('a'));
    const before = await everything(disk.database);
    await expect(migrate()).rejects.toMatchObject({
      code: 'DATABASE_NEWER',
      data: { folder: 'store', format: NEWEST + 1, newest: NEWEST },
    });
    expect(await everything(disk.database)).toEqual(before);
    await access(journal());
  });
});

describe('the journal of content', () => {
  it('becomes records, and goes', async () => {
    await formatIs(1);
    const lines = [
      added('a', [
        ['a', 3],
        ['x', 4],
      ]),
      added('b'),
      added('c'),
      lineOf({ op: 'pin', cid: 'a', owner: 'job' }),
      lineOf({ op: 'pin', cid: 'b', owner: 'job' }),
      lineOf({ op: 'pin', cid: 'b', owner: 'gone' }),
      lineOf({ op: 'touch', cid: 'a', storedAt: 9 }),
      lineOf({ op: 'publish', cid: 'a' }),
      lineOf({ op: 'drop', cid: 'c' }),
      lineOf({ op: 'unpin', owner: 'gone' }),
    ];
    await writeFile(journal(), lines.join(''));
    await writeFile(`${journal()}.next`, 'half');
    await migrate();
    const records = await disk.records();
    expect([...records.objects()]).toEqual([
      {
        cid: 'a',
        bytes: 1,
        isPublic: true,
        storedAt: 9,
        blocks: [
          ['a', 3],
          ['x', 4],
        ],
        inline: [],
      },
      { cid: 'b', bytes: 1, isPublic: false, storedAt: 5, blocks: [['b', 1]], inline: [] },
    ]);
    expect([[...records.pinsOf('job')], [...records.pinsOf('gone')]]).toEqual([['a', 'b'], []]);
    expect(await readdir(folder)).toEqual([]);
  });

  it.each([
    ['cut short', (line: string) => line.slice(0, -4)],
    ['changed', (line: string) => line.replace('"bytes":1', '"bytes":2')],
    ['of no version', () => lineOf({ op: 'rename', cid: 'b' })],
  ])('is read without a line that is %s', async (_what, damage) => {
    await formatIs(1);
    await writeFile(journal(), [added('a'), damage(added('b'))].join(''));
    await migrate();
    expect([...(await disk.records()).objects()].map(({ cid }) => cid)).toEqual(['a']);
  });

  it('is read once: what is there later is left over and goes', async () => {
    await formatIs(1);
    await writeFile(journal(), added('a'));
    await migrate();
    await writeFile(journal(), added('b'));
    await migrate();
    expect([...(await disk.records()).objects()].map(({ cid }) => cid)).toEqual(['a']);
    expect(await readdir(folder)).toEqual([]);
  });

  it('counts as it is now, also where the former version went on behind a step that was cut off', async () => {
    await formatIs(1);
    await writeFile(journal(), added('a') + lineOf({ op: 'pin', cid: 'a', owner: 'job' }));
    await expect(migrate(failingAfter(1))).rejects.toThrow('ended');
    expect((await disk.records()).object('a')).toBeDefined();
    await writeFile(journal(), added('b'));
    await migrate();
    const records = await disk.records();
    expect([...records.objects()].map(({ cid }) => cid)).toEqual(['b']);
    expect(records.isPinned('a')).toBe(false);
  });

  it('that is not there takes nothing away: damage has cost a store of today its format', async () => {
    await formatIs(1);
    await writeFile(journal(), added('a') + lineOf({ op: 'pin', cid: 'a', owner: 'job' }));
    await migrate();
    await disk.database.batch([{ type: 'del', key: 'meta!format' }]);
    const before = await everything(disk.database);
    await migrate();
    expect(await everything(disk.database)).toEqual({ ...before, 'meta!format': hexOf(NEWEST) });
  });

  it('of megabytes of marks holds nothing up', async () => {
    await formatIs(1);
    for (const mark of ['"', '{', '[', '\\', ' ']) await appendFile(journal(), `${mark.repeat(2 ** 20)}\n`);
    await appendFile(journal(), added('a'));
    const beganMs = performance.now();
    await migrate();
    expect(performance.now() - beganMs).toBeLessThan(2000);
    expect((await disk.records()).object('a')).toBeDefined();
  });
});

describe('jobs without a namespace', () => {
  it('are of the default one, and those that cannot be read stay as they are', async () => {
    await formatIs(1);
    const jobs = new Repository<{ readonly id: string }>(disk.database, 'job', ({ id }) => id);
    const { namespace: _namespace, ...former } = make.job('j');
    await disk.database.batch([
      jobs.put(former),
      { type: 'put', key: 'job!k', value: Uint8Array.of(1, 2, 3) },
    ]);
    await migrate();
    const { jobs: read } = new JobRecords(disk.database);
    expect(await read.get('j')).toEqual({ ...former, namespace: 'default' });
    expect(await disk.database.get('job!k')).toEqual(Uint8Array.of(1, 2, 3));
  });
});

describe('sentences in the place of reasons', () => {
  it('are told of one, and stored evaluations go', async () => {
    await formatIs(3);
    const events = new Repository<{ readonly jobId: string; readonly event: { readonly seq: number } }>(
      disk.database,
      'event',
      ({ jobId, event }) => `${jobId}/${countKey(event.seq)}`,
    );
    const jobs = new Repository<{ readonly id: string }>(disk.database, 'job', ({ id }) => id);
    const event = { seq: 1, at: 1, type: 'job.failed' } as const;
    await disk.database.batch([
      jobs.put({ ...make.job('j'), reason: 'It was so.' } as { readonly id: string }),
      events.put({ jobId: 'j', event: { ...event, message: 'It was so.' } as typeof event }),
      { type: 'put', key: 'evaluation!j/e', value: Uint8Array.of(1, 2, 3) },
    ]);
    await migrate();
    const records = new JobRecords(disk.database);
    const why = make.told('It was so.');
    expect(await records.jobs.get('j')).toEqual(make.job('j', { why }));
    expect(await records.events.get(records.eventKey('j', 1))).toEqual({
      jobId: 'j',
      event: { ...event, why },
    });
    expect(await disk.database.get('evaluation!j/e')).toBeUndefined();
  });
});

describe('the process of an execution', () => {
  it('is a handle of its engine', async () => {
    await formatIs(1);
    const executions = new Repository<ReturnType<typeof make.providerExecution>>(
      disk.database,
      'provider-execution',
      ({ item }) => item.executionId,
    );
    const child = { pid: 7, startTimeTicks: 8 };
    const execution = make.providerExecution('e');
    const former: typeof execution & { readonly process: object } = { ...execution, process: child };
    await disk.database.batch([executions.put(former)]);
    await migrate();
    const { type } = execution.invocation.engine;
    expect(await executions.get('e')).toEqual({
      ...execution,
      task: { engine: type, version: 0, run: 1, state: child },
    });
  });
});

/** The disk, on which the node ends behind so many batches. */
function failingAfter(batches: number): Database {
  let left = batches;
  const { database } = disk;
  return {
    get: (key) => database.get(key),
    lacks: (key) => database.lacks(key),
    range: (range) => database.range(range),
    close: () => database.close(),
    batch: async (operations) => {
      if (left === 0) throw new Error('the node ended');
      left -= 1;
      await database.batch(operations);
    },
  };
}

/** Migrations whose last one cannot take its leftovers away. */
function withoutLeftovers(): readonly Migration[] {
  return migrations.map((migration) => ({
    ...migration,
    leftovers: () => Promise.reject(new Error('the node ended')),
  }));
}

describe('a node that ends between two steps', () => {
  const before: Operation[] = [];

  async function former(database: ImmediateDatabase): Promise<void> {
    const jobs = new Repository<{ readonly id: string }>(database, 'job', ({ id }) => id);
    for (let at = 0; at < 600; at += 1) {
      const { namespace: _namespace, ...job } = make.job(`job-${at}`);
      before.push(jobs.put(job));
    }
    await database.batch(before.splice(0));
    await formatIs(1);
    const lines = Array.from({ length: 600 }, (_, at) => added(`cid-${at}`));
    const pins = Array.from({ length: 600 }, (_, at) =>
      lineOf({ op: 'pin', cid: `cid-${at}`, owner: `job-${at}` }),
    );
    await writeFile(journal(), [...lines, ...pins].join(''));
  }

  it('goes on where it was, whichever step that is', async () => {
    await former(disk.database);
    await migrate();
    const expected = await everything(disk.database);
    expect(Object.keys(expected).length).toBe(1801);
    let isWhole = false;
    for (let batches = 0; !isWhole; batches += 1) {
      disk = new ContentDisk();
      await former(disk.database);
      isWhole = await migrate(failingAfter(batches)).then(
        () => true,
        () => false,
      );
      await migrate();
      expect(await everything(disk.database), `after ${batches} batches`).toEqual(expected);
      expect(await readdir(folder)).toEqual([]);
    }
  });

  it('takes the journal away at the next start', async () => {
    await former(disk.database);
    await expect(migrate(disk.database, withoutLeftovers())).rejects.toThrow('ended');
    await access(journal());
    const expected = await everything(disk.database);
    await migrate();
    expect(await readdir(folder)).toEqual([]);
    expect(await everything(disk.database)).toEqual(expected);
  });
});
