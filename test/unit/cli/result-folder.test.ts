import { execFile } from 'node:child_process';
import {
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { partsBelow, ResultFolder } from '../../../src/cli/result-folder.ts';

let place: string;
let outside: string;
let folder: ResultFolder;

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'bidmesh-results-'));
  outside = join(place, 'outside');
  await mkdir(outside);
  await writeFile(join(outside, 'secret'), 'untouched');
  await mkdir(join(place, 'r'));
  folder = await ResultFolder.open(join(place, 'r'));
});

afterEach(async () => {
  await folder.close();
  await rm(place, { recursive: true, force: true });
});

const inside = (path: string): string => join(place, 'r', path);

async function* bytes(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield new TextEncoder().encode(text);
}

describe('names that strangers chose', () => {
  it.each([
    'a:b',
    'a\\b',
    'tab\there',
    'line\nend',
    '\u001b[31mred',
    'trailing ',
    'dot.',
    'CON',
    '*',
    '-rf',
    '…é北😀',
    `o/${'x'.repeat(255)}`,
  ])('%j is written where the disk takes it', async (name) => {
    expect(await folder.write(name, bytes('one', 'two'))).toBe(inside(name));
    expect(await readFile(inside(name), 'utf8')).toBe('onetwo');
  });

  it.each(['a:b', 'a\\b', 'tab\there', 'trailing ', 'dot.', 'x/CON', 'nul.txt', 'a*', 'a?'])(
    '%j is none on Windows',
    (name) => {
      expect(() => partsBelow(name, 'win32')).toThrow('no safe one');
    },
  );

  it.each(['..', '../x', 'a/../../x', '/x', 'a//b', 'a/', '', '.', './x', 'a\0b'])(
    '%j is none anywhere',
    async (name) => {
      for (const platform of ['win32', 'linux', 'darwin'] as const) {
        expect(() => partsBelow(name, platform)).toThrow('no safe one');
      }
      await expect(folder.write(name, bytes('x'))).rejects.toMatchObject({ code: 'RESULT_PATH_UNSAFE' });
    },
  );

  it('are refused one by one where the disk takes them not', async () => {
    await expect(folder.write('x'.repeat(256), bytes('x'))).rejects.toMatchObject({
      code: 'FILE_NOT_WRITTEN',
      message: expect.stringMatching(/cannot be written: name too long\.$/),
    });
    expect(await readdir(inside('.'))).toEqual([]);
  });
});

describe('links in the folder', () => {
  it('are not followed where a file goes', async () => {
    await symlink(join(outside, 'secret'), inside('stdout'));
    await symlink(join(outside, 'new'), inside('dangling'));
    for (const name of ['stdout', 'dangling']) {
      await expect(folder.write(name, bytes('x'))).rejects.toMatchObject({
        code: 'RESULT_LINKED',
        message: expect.stringContaining('links are not followed'),
      });
    }
    expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('untouched');
    expect(await readdir(outside)).toEqual(['secret']);
    expect(await readlink(inside('stdout'))).toBe(join(outside, 'secret'));
  });

  it.each(['outputs/secret', 'outputs/a/b'])('are not followed on the way to %j', async (path) => {
    await symlink(outside, inside('outputs'));
    await expect(folder.write(path, bytes('x'))).rejects.toMatchObject({ code: 'RESULT_LINKED' });
    await symlink(join(place, 'nowhere'), inside('o'));
    await expect(folder.write('o/x', bytes('x'))).rejects.toMatchObject({ code: 'RESULT_LINKED' });
    expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('untouched');
    expect((await readdir(outside)).toSorted()).toEqual(['secret']);
    expect((await readdir(place)).toSorted()).toEqual(['outside', 'r']);
  });

  it('are not followed when they are put there while a file comes', async ({ skip }) => {
    skip(process.platform !== 'linux', 'only Linux goes on from a folder that is open');
    async function* swapped(): AsyncGenerator<Uint8Array> {
      yield* bytes('x');
      await rename(inside('outputs'), inside('moved'));
      await symlink(outside, inside('outputs'));
      yield* bytes('y');
    }
    await folder.write('outputs/secret', swapped());
    expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('untouched');
    expect(await readFile(inside('moved/secret'), 'utf8')).toBe('xy');
  });

  it('may be the folder itself, which its user chose', async () => {
    await symlink(outside, join(place, 'chosen'));
    const chosen = await ResultFolder.open(join(place, 'chosen'));
    expect(await chosen.write('a/b', bytes('x'))).toBe(join(place, 'chosen', 'a', 'b'));
    await chosen.close();
    expect(await readFile(join(outside, 'a', 'b'), 'utf8')).toBe('x');
  });

  it('of the hard kind keep what they had', async () => {
    await link(join(outside, 'secret'), inside('stdout'));
    await folder.write('stdout', bytes('new'));
    expect(await readFile(inside('stdout'), 'utf8')).toBe('new');
    expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('untouched');
  });
});

describe('what stands in the way', () => {
  it('is a file where a folder goes, or a folder where a file goes', async () => {
    await writeFile(inside('outputs'), '');
    await mkdir(inside('stdout'));
    for (const path of ['outputs/x', 'stdout']) {
      await expect(folder.write(path, bytes('x'))).rejects.toMatchObject({ code: 'FILE_NOT_WRITTEN' });
    }
    expect((await readdir(inside('.'))).toSorted()).toEqual(['outputs', 'stdout']);
  });

  it('is no pipe that nobody reads', async ({ skip }) => {
    skip(process.platform === 'win32', 'Windows has no such pipes');
    await promisify(execFile)('mkfifo', [inside('stdout')]);
    await folder.write('stdout', bytes('x'));
    expect((await lstat(inside('stdout'))).isFile()).toBe(true);
  });
});

it('keeps the file of before where the new one stops halfway', async () => {
  await writeFile(inside('stdout'), 'before');
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield* bytes('half');
    throw Object.assign(new Error('cut'), { code: 'ECONNRESET' });
  }
  await expect(folder.write('stdout', broken())).rejects.toMatchObject({ code: 'FILE_NOT_WRITTEN' });
  expect(await readFile(inside('stdout'), 'utf8')).toBe('before');
  expect(await readdir(inside('.'))).toEqual(['stdout']);
});

describe('the folder itself', () => {
  it('is made with those around it', async () => {
    const made = await ResultFolder.open(join(place, 'a', 'b'));
    await made.write('stdout', bytes('x'));
    await made.close();
    expect(await readdir(join(place, 'a', 'b'))).toEqual(['stdout']);
  });

  it.runIf(process.platform === 'linux')('is refused where the system makes no folders', async () => {
    await symlink(join(place, 'unmounted'), join(place, 'link'));
    for (const path of ['/proc/bidmesh/r', join(place, 'link', 'r'), join(outside, 'secret', 'r')]) {
      await expect(ResultFolder.open(path)).rejects.toMatchObject({ code: 'FILE_NOT_WRITTEN' });
    }
  });
});
