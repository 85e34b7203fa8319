import { cp, mkdir, mkdtemp, readdir, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ContentStore, createContentStore } from '../../../src/content/index.ts';
import type { ContentLimits } from '../../../src/content/options.ts';
import { sameBytes } from '../../../src/lib/canonical.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { openStore, type Store } from '../../../src/store/index.ts';
import { defaultStoreLimits } from '../../../src/store/options.ts';
import { FakeClock } from '../../simulation/fake-clock.ts';
import { ContentDisk } from '../fakes/content-disk.ts';
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

/** Every block is a file. */
const FILES = { inlineObjectBytes: 0 };

let folder = '';
let clock = new FakeClock();
let open: { readonly store: Store; readonly content: ContentStore }[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'content-'));
  clock = new FakeClock();
  open = [];
});

afterEach(async () => {
  await stopAll();
  await rm(folder, { recursive: true });
});

async function stopAll(): Promise<void> {
  for (const { store, content } of open.splice(0)) {
    await content.stop();
    await store.stop();
  }
}

async function started(limits: Partial<ContentLimits> = {}, at = folder): Promise<ContentStore> {
  const options = { folder: join(at, 'store'), contentFolder: at, limits: defaultStoreLimits };
  const store = await openStore(options, { clock, logger: silentLogger });
  const content = createContentStore(
    { limits },
    {
      records: store.content,
      files: store.blocks,
      transport: new ScriptedTransport(),
      clock: store.clock,
      logger: silentLogger,
    },
  );
  open.push({ store, content });
  await content.start();
  return content;
}

/** Ends every store and opens the folder again. */
async function restarted(limits?: Partial<ContentLimits>): Promise<ContentStore> {
  await stopAll();
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
    const small = await first.put(text('a'));
    const large = await first.put(pattern(MIB));
    await first.pin(small.cid, 'job');
    const copy = `${folder}-crashed`;
    await cp(folder, copy, { recursive: true });
    try {
      const second = await started({}, copy);
      expect([await second.sizeOf(small.cid), await second.sizeOf(large.cid)]).toEqual([1, MIB]);
      expect(open.at(-1)?.store.content.isPinned(small.cid)).toBe(true);
    } finally {
      await stopAll();
      await rm(copy, { recursive: true });
    }
  });

  it('pins hold, and unpinned content goes when its time is over', async () => {
    const limits = { ...FILES, collectAfterMs: 60_000, collectEveryMs: 1000 };
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
    const first = await started(FILES);
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
    const first = await started(FILES);
    const { cid } = await first.put(text('right'));
    const [name = ''] = await blockFiles();
    await writeFile(join(folder, 'blocks', name), 'wrong');
    const second = await restarted();
    expect(await failure(readBack(second, cid))).toBe('CONTENT_INVALID');
    expect(await failure(served(second, cid))).toBe('CONTENT_INVALID');
  });
});

describe('without a disk', () => {
  it('the next incarnation goes on from what the first one wrote', async () => {
    const first = await memoryNode();
    const { cid } = await first.store.put(pattern(2 * MIB));
    await first.store.pin(cid, 'job');
    const { disk } = first;
    const second = await memoryNode({ disk });
    expect(await second.store.sizeOf(cid)).toBe(2 * MIB);
    const lost = new ContentDisk();
    for (const [key, bytes] of await disk.blocks()) await lost.files.put(key, bytes);
    await (await memoryNode({ disk: lost })).store.stop();
    expect(await blockCount(lost)).toBe(0);
  });
});
