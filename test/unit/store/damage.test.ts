import { cp, mkdtemp, open, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Logger } from '../../../src/lib/logger.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { openStore, type Store } from '../../../src/store/index.ts';
import { defaultStoreLimits } from '../../../src/store/options.ts';
import { FakeClock } from '../../simulation/fake-clock.ts';
import * as make from './market-records.ts';

const JOBS = Array.from({ length: 12 }, (_, index) => `job-${index}`);

let folder = '';
let said: Record<string, unknown>[] = [];
const logger: Logger = {
  ...silentLogger,
  error: (_message, fields) => void said.push({ ...fields }),
  child: () => logger,
};

const openIt = (): Promise<Store> =>
  openStore(
    { folder, contentFolder: folder, limits: defaultStoreLimits },
    { clock: new FakeClock(), logger },
  );

async function fileLike(pattern: RegExp): Promise<string> {
  const name = (await readdir(folder)).sort().findLast((one) => pattern.test(one));
  return join(folder, name ?? '');
}

async function flip(path: string, offset: number): Promise<void> {
  const file = await open(path, 'r+');
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, offset);
  await file.write(Buffer.of((byte[0] ?? 0) ^ 0x55), 0, 1, offset);
  await file.close();
}

/** Ids of the jobs that are neither served as they were nor said to be unreadable. */
async function missingIn(store: Store): Promise<string[]> {
  const gone: string[] = [];
  for (const id of JOBS) {
    const snapshot = await store.jobs.snapshot(id).catch(() => undefined);
    if (snapshot?.job.id !== id) gone.push(id);
  }
  return gone;
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bidmesh-damage-'));
  said = [];
  const store = await openIt();
  for (const id of JOBS) await store.jobs.commit(make.created(id));
  await store.stop();
});

afterEach(() => rm(folder, { recursive: true }));

describe('damage of the write-ahead log', () => {
  it('is none after a stop', async () => {
    const store = await openIt();
    expect(await missingIn(store)).toEqual([]);
    expect(store.damage()).toEqual({ count: 0, first: [] });
    expect(said).toEqual([]);
    await store.stop();
  });

  it('is noticed wherever a byte is flipped, and what can be read is served', async () => {
    const { size } = await stat(await fileLike(/\.log$/));
    const copy = `${folder}-whole`;
    await cp(folder, copy, { recursive: true });
    try {
      for (let offset = 0; offset < size; offset += Math.ceil(size / 40)) {
        await rm(folder, { recursive: true });
        await cp(copy, folder, { recursive: true });
        await flip(await fileLike(/\.log$/), offset);
        const store = await openIt();
        expect(store.damage().count, `at ${offset}`).toBeGreaterThan(0);
        await missingIn(store);
        await store.jobs.commit(make.created('fresh'));
        await store.stop();
      }
    } finally {
      await rm(copy, { recursive: true });
    }
  });

  it('names the jobs whose changes are lost, in the log and to whoever asks', async () => {
    const path = await fileLike(/\.log$/);
    const bytes = await readFile(path);
    await flip(path, bytes.indexOf('job!job-7') + 2);
    const store = await openIt();
    const [first] = store.damage().first;
    expect(first).toMatchObject({
      where: path,
      message: expect.stringMatching(/damaged: changes in \d+ bytes/),
    });
    expect(first?.lost?.join(' ')).toMatch(/job-7/);
    expect(said).toMatchObject([
      { where: path, lost: expect.arrayContaining([expect.stringMatching(/job-7/)]) },
    ]);
    const gone = await missingIn(store);
    expect(gone).toContain('job-7');
    expect(gone).not.toContain('job-0');
    await store.stop();
  });

  it.each([0.9, 0.5, 0])('that was cut to %d of its length is noticed', async (part) => {
    const path = await fileLike(/\.log$/);
    await truncate(path, Math.floor((await stat(path)).size * part));
    const store = await openIt();
    expect(store.damage().first[0]).toMatchObject({
      where: path,
      message: expect.stringMatching(/the last changes are lost/),
    });
    expect((await store.jobs.openJobs()).length).toBeLessThanOrEqual(JOBS.length * part);
    await store.stop();
  });

  it('that is gone is noticed', async () => {
    const path = await fileLike(/\.log$/);
    await rm(path);
    const store = await openIt();
    expect(store.damage().first[0]).toMatchObject({ where: path });
    expect(await missingIn(store)).toEqual(JOBS);
    await store.stop();
  });

  it('that a crash cut within its last change is told apart, and only that change is gone', async () => {
    const path = await fileLike(/\.log$/);
    await rm(join(folder, 'files.json'));
    await truncate(path, (await stat(path)).size - 3);
    const store = await openIt();
    expect(store.damage().first).toMatchObject([
      { where: path, message: expect.stringMatching(/ends within a change of \d+ bytes/) },
    ]);
    expect(await missingIn(store)).toEqual(['job-11']);
    await store.stop();
  });
});

describe('damage of other files', () => {
  it.each([/^CURRENT$/, /^MANIFEST-/])('stops the start and changes nothing: %s is cut', async (pattern) => {
    // The second life has a table and a list of it that is longer than nothing.
    await (await openIt()).stop();
    for (const part of [0.7, 0]) {
      const path = await fileLike(pattern);
      await truncate(path, Math.floor((await stat(path)).size * part));
      const before = await readdir(folder);
      await expect(openIt()).rejects.toMatchObject({
        code: 'DATABASE_UNREADABLE',
        message: expect.stringContaining('backup'),
      });
      expect((await readdir(folder)).filter((name) => /ldb$|^MANIFEST/.test(name))).toEqual(
        before.filter((name) => /ldb$|^MANIFEST/.test(name)),
      );
    }
  });

  it('names a table that is shorter than it was', async () => {
    await (await openIt()).stop();
    const path = await fileLike(/\.ldb$/);
    await truncate(path, 100);
    await expect(openIt()).rejects.toMatchObject({
      code: 'DATABASE_UNREADABLE',
      message: expect.stringMatching(/\d+\.ldb had \d+ bytes when it was closed, and has 100/),
    });
  });

  it.each([false, true])(
    'of a table stops the start wherever a byte is flipped (after a crash: %s)',
    async (crashed) => {
      const store = await openIt();
      // A crash leaves the folder as it is while the node runs.
      const copy = `${folder}-whole`;
      if (crashed) await cp(folder, copy, { recursive: true });
      await store.stop();
      if (!crashed) await cp(folder, copy, { recursive: true });
      try {
        const { size } = await stat(await fileLike(/\.ldb$/));
        for (let offset = 0; offset < size; offset += Math.ceil(size / 20)) {
          await rm(folder, { recursive: true });
          await cp(copy, folder, { recursive: true });
          const path = await fileLike(/\.ldb$/);
          await flip(path, offset);
          await expect(openIt()).rejects.toMatchObject({
            code: 'DATABASE_UNREADABLE',
            message: expect.stringMatching(/\d+\.ldb is not what was written there.*backup/),
          });
        }
      } finally {
        await rm(copy, { recursive: true });
      }
    },
  );

  it('is seen where CURRENT is gone, and nothing begins anew beside what was written', async () => {
    for (const stopped of ['once', 'twice']) {
      if (stopped === 'twice') await (await openIt()).stop();
      const path = await fileLike(/^CURRENT$/);
      const text = await readFile(path);
      await rm(path);
      const before = await readdir(folder);
      await expect(openIt()).rejects.toMatchObject({
        code: 'DATABASE_UNREADABLE',
        message: expect.stringContaining('CURRENT is gone'),
      });
      expect(await readdir(folder)).toEqual(before);
      await writeFile(path, text);
      const store = await openIt();
      expect(await missingIn(store)).toEqual([]);
      await store.stop();
    }
  });

  it('is not seen in a table that LevelDB was writing while the files were noted', async () => {
    const first = await openIt();
    await first.stop();
    const table = await fileLike(/\.ldb$/);
    const name = basename(table);
    const { size } = await stat(table);
    const path = join(folder, 'files.json');
    const noted = JSON.parse(await readFile(path, 'utf8')) as { files: Record<string, unknown> };
    noted.files[name] = { size: size - 9, checksum: 1 };
    await writeFile(path, JSON.stringify({ ...noted, closed: false }));
    for (let time = 0; time < 2; time += 1) {
      const store = await openIt();
      expect(store.damage().count).toBe(0);
      expect(await missingIn(store)).toEqual([]);
      await store.stop();
    }
    await flip(table, 20);
    await expect(openIt()).rejects.toMatchObject({ code: 'DATABASE_UNREADABLE' });
  });

  it('is not seen in files that LevelDB replaced since', async () => {
    await writeFile(
      join(folder, 'files.json'),
      '{"manifest":"MANIFEST-000001","closed":true,"files":{"000999.log":{"size":5}}}',
    );
    const store = await openIt();
    expect(store.damage().count).toBe(0);
    await store.stop();
  });
});
