import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/lib/logger.ts';
import { DamageLog } from '../../../src/store/damage-log.ts';
import { levelError, openLevelDatabase } from '../../../src/store/level-database.ts';
import { databaseSuite } from '../../suites/database.suite.ts';

const openDatabase = (folder: string) => openLevelDatabase(folder, new DamageLog(silentLogger));

const newFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'bidmesh-store-'));

databaseSuite('LevelDB', async () => {
  const folder = await newFolder();
  return {
    open: () => openDatabase(join(folder, 'deep', 'db')),
    remove: () => rm(folder, { recursive: true }),
  };
});

describe('LevelDB in a folder', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await newFolder();
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  it.each([/^CURRENT$/, /^MANIFEST-/])('says that it cannot be read when %s is damaged', async (pattern) => {
    const database = await openDatabase(folder);
    await database.batch([{ type: 'put', key: 'a', value: Uint8Array.of(1) }]);
    await database.close();
    const file = (await readdir(folder)).find((name) => pattern.test(name));
    await writeFile(join(folder, file ?? ''), 'garbage\n');
    await expect(openDatabase(folder)).rejects.toMatchObject({
      code: 'DATABASE_UNREADABLE',
      data: { folder },
      message: expect.stringContaining('backup'),
    });
  });

  it('says that the disk refused when the folder cannot be made', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    await expect(openDatabase(join(file, 'db'))).rejects.toMatchObject({ code: 'STORE_FAILED' });
  });

  it.each([
    ['LEVEL_IO_ERROR', 'STORE_FAILED'],
    ['LEVEL_CORRUPTION', 'DATABASE_UNREADABLE'],
    ['LEVEL_LOCKED', 'DATABASE_LOCKED'],
    ['LEVEL_DATABASE_NOT_OPEN', 'STORE_CLOSED'],
    ['ENOSPC', 'STORE_FAILED'],
  ])('turns %s into %s, on the error and as its cause', (theirs, ours) => {
    const inner = Object.assign(new Error('it went wrong'), { code: theirs });
    expect(levelError('folder', 'to write', inner)).toMatchObject({ code: ours });
    expect(levelError('folder', 'to write', new Error('outer', { cause: inner })).code).toBe(ours);
  });
});
