import {
  appendFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ContentStore, createContentStore } from '../../../src/content/index.ts';
import type { ContentLimits } from '../../../src/content/options.ts';
import { sameBytes } from '../../../src/lib/canonical.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { FakeClock } from '../../simulation/fake-clock.ts';
import {
  blockCount,
  failure,
  leaf,
  memoryNode,
  MIB,
  pattern,
  readBack,
  ScriptedTransport,
  served,
  text,
} from './content-fixtures.ts';

let folder = '';
let clock = new FakeClock();
let open: ContentStore[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'content-'));
  clock = new FakeClock();
  open = [];
});

afterEach(async () => {
  for (const store of open) await store.stop();
  await rm(folder, { recursive: true });
});

async function started(limits: Partial<ContentLimits> = {}): Promise<ContentStore> {
  const needs = { transport: new ScriptedTransport(), clock, logger: silentLogger };
  const store = createContentStore({ folder, limits }, needs);
  await store.start();
  open.push(store);
  return store;
}

/** Ends every store and opens the folder again. */
async function restarted(limits?: Partial<ContentLimits>): Promise<ContentStore> {
  for (const store of open.splice(0)) await store.stop();
  return started(limits);
}

async function blockFiles(): Promise<string[]> {
  const names = await readdir(join(folder, 'blocks'), { recursive: true });
  return names.filter((name) => name.endsWith('.data')).sort();
}

describe('after a restart', () => {
  it('everything that had an id is there', async () => {
    const first = await started();
    const file = await first.put(pattern(2 * MIB + 1));
    const tree = await first.importTree([{ path: 'a/b', source: { bytes: text('b') } }]);
    const shared = await first.put(text('public'), { public: true });
    const listed = await first.tree(tree.cid);
    const second = await restarted();
    expect(sameBytes(await readBack(second, file.cid), pattern(2 * MIB + 1))).toBe(true);
    expect(await second.tree(tree.cid)).toEqual(listed);
    expect([await second.sizeOf(file.cid), await second.sizeOf(tree.cid)]).toEqual([2 * MIB + 1, 1]);
    expect([await second.isPublic(shared.cid), await second.isPublic(file.cid)]).toEqual([true, false]);
    expect(await served(second, file.cid)).toHaveLength(4);
  });

  it('nothing is missing, with or without a stop before', async () => {
    const first = await started();
    const { cid } = await first.put(text('a'));
    await first.pin(cid, 'job');
    expect(await (await started()).sizeOf(cid)).toBe(1);
  });

  it('pins hold, and unpinned content goes when its time is over', async () => {
    const limits = { collectAfterMs: 60_000, collectEveryMs: 1000 };
    const first = await started(limits);
    const kept = await first.put(text('kept'));
    const freed = await first.put(text('freed'));
    await first.pin(kept.cid, 'job');
    await first.pin(freed.cid, 'old job');
    await first.unpin('old job');
    await clock.advanceBy(30_000);
    const second = await restarted(limits);
    await clock.advanceBy(31_500);
    await second.stop();
    const third = await restarted();
    expect([await third.sizeOf(kept.cid), await third.sizeOf(freed.cid)]).toEqual([4, undefined]);
    expect(await blockFiles()).toHaveLength(1);
  });

  it('the quota counts what is there', async () => {
    const first = await started({ maxTotalBytes: 10, maxOwnerBytes: 8 });
    const { cid } = await first.put(text('1234567'));
    await first.pin(cid, 'job');
    const second = await restarted({ maxTotalBytes: 10, maxOwnerBytes: 8 });
    expect(await failure(second.put(text('abcd')))).toBe('QUOTA_EXCEEDED');
    const other = await second.put(text('abc'));
    expect(await failure(second.pin(other.cid, 'job'))).toBe('QUOTA_EXCEEDED');
  });

  it('what an interrupted import left is swept', async () => {
    const first = await started();
    await first.put(text('a'));
    const before = await blockFiles();
    const stray = leaf(text('stray')).cid.toString();
    await mkdir(join(folder, 'blocks', stray.slice(-2)));
    await writeFile(join(folder, 'blocks', stray.slice(-2), `${stray}.data`), 'half');
    expect(await blockFiles()).toHaveLength(2);
    await restarted();
    expect(await blockFiles()).toEqual(before);
  });

  it('files that are not its own are left alone', async () => {
    await (await started()).put(text('a'));
    await writeFile(join(folder, 'blocks', 'notes.data'), 'mine');
    await restarted();
    expect(await blockFiles()).toContain('notes.data');
  });

  it('an object with a lost block is forgotten, and can be had again', async () => {
    const first = await started();
    const { cid } = await first.put(pattern(2 * MIB));
    const other = await first.put(text('other'));
    const files = await blockFiles();
    const sizes = await Promise.all(
      files.map(async (name) => (await stat(join(folder, 'blocks', name))).size),
    );
    await unlink(join(folder, 'blocks', files[sizes.indexOf(MIB)] ?? ''));
    const second = await restarted();
    expect([await second.sizeOf(cid), await second.sizeOf(other.cid)]).toEqual([undefined, 5]);
    expect((await second.put(pattern(2 * MIB))).cid).toBe(cid);
    expect(sameBytes(await readBack(second, cid), pattern(2 * MIB))).toBe(true);
  });

  it('a block that has changed on the disk is not handed out', async () => {
    const first = await started();
    const { cid } = await first.put(text('right'));
    const [name = ''] = await blockFiles();
    await writeFile(join(folder, 'blocks', name), 'wrong');
    const second = await restarted();
    expect(await failure(readBack(second, cid))).toBe('CONTENT_INVALID');
    expect(await failure(served(second, cid))).toBe('CONTENT_INVALID');
  });
});

describe('the journal', () => {
  const path = (): string => join(folder, 'journal');

  it('forgets a line that was cut short, and goes on', async () => {
    const first = await started();
    const a = await first.put(text('a'));
    await first.put(text('b'));
    await first.stop();
    await truncate(path(), (await stat(path())).size - 3);
    const second = await restarted();
    const c = await second.put(text('c'));
    const third = await restarted();
    expect([await third.sizeOf(a.cid), await third.sizeOf(c.cid)]).toEqual([1, 1]);
    expect(await blockFiles()).toHaveLength(2);
  });

  it('passes over a line that has changed', async () => {
    const first = await started();
    const a = await first.put(text('a'));
    const b = await first.put(text('b'));
    await first.stop();
    const lines = (await readFile(path(), 'utf8')).split('\n');
    await writeFile(path(), [lines[0]?.replace('"bytes":1', '"bytes":2'), ...lines.slice(1)].join('\n'));
    await appendFile(path(), 'nonsense\n');
    const second = await restarted();
    expect([await second.sizeOf(a.cid), await second.sizeOf(b.cid)]).toEqual([undefined, 1]);
  });

  it('stays short while the store lives', async () => {
    const first = await started();
    const { cid } = await first.put(text('a'));
    for (let round = 0; round < 700; round += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, at) => first.pin(cid, `job-${round + at}`)));
      await Promise.all(Array.from({ length: 50 }, (_, at) => first.unpin(`job-${round + at}`)));
    }
    await first.pin(cid, 'last');
    const lines = (await readFile(path(), 'utf8')).split('\n').length;
    expect(lines).toBeLessThan(1100);
    const second = await restarted({ collectAfterMs: 1, collectEveryMs: 1 });
    await clock.advanceBy(100);
    expect(await second.sizeOf(cid)).toBe(1);
  });
});

describe('without a disk', () => {
  it('the next incarnation goes on from blockstore and journal', async () => {
    const first = await memoryNode();
    const { cid } = await first.store.put(pattern(2 * MIB));
    await first.store.pin(cid, 'job');
    const { blockstore, journal } = first;
    const second = await memoryNode({ blockstore, journal });
    expect(await second.store.sizeOf(cid)).toBe(2 * MIB);
    await (await memoryNode({ blockstore })).store.stop();
    expect(blockCount(blockstore)).toBe(0);
  });
});
