import { fc, it } from '@fast-check/vitest';
import { mkdtemp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryBlockstore } from 'blockstore-core/memory';
import { exporter } from 'ipfs-unixfs-exporter';
import { importer } from 'ipfs-unixfs-importer';
import { CID } from 'multiformats/cid';
import { afterEach, beforeEach, describe, expect } from 'vitest';
import { MAX_PATH_DEPTH } from '../../../src/domain/program/path-bounds.ts';
import { rawContentIdOf, sameBytes } from '../../../src/lib/canonical.ts';
import type { ContentDisk } from '../fakes/content-disk.ts';
import {
  blockCount,
  collect,
  failure,
  memoryNode,
  MIB,
  pattern,
  readBack,
  text,
} from './content-fixtures.ts';

const anyBytes = fc.uint8Array({ maxLength: 4096 });
const anyName = fc.constantFrom('a', 'b', 'stdout', 'ö', 'with space ', 'back\\slash', '..c', '-');
const anyPath = fc.array(anyName, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));

/** As other tools read it. */
async function blockstoreOf(disk: ContentDisk): Promise<MemoryBlockstore> {
  const blockstore = new MemoryBlockstore();
  for (const [cid, bytes] of await disk.blocks()) await blockstore.put(CID.parse(cid), bytes);
  return blockstore;
}

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

it('a folder holds the deepest files that a program can leave, and many of them side by side', async () => {
  const { store } = await memoryNode();
  const deep = `outputs/${'o'.repeat(64)}/${'d/'.repeat(MAX_PATH_DEPTH - 1)}file`;
  const many = Array.from({ length: 3000 }, (_, index) => `outputs/many/measurement-${index}.json`);
  const entries = [deep, ...many].map((path) => ({ path, source: { bytes: text('x') } }));
  const { cid } = await store.importTree(entries);
  await store.pin(cid, 'owner');
  expect((await store.tree(cid)).map(({ path }) => path).toSorted()).toEqual([deep, ...many].toSorted());
});

describe('putting bytes', () => {
  it.prop([anyBytes, fc.integer({ min: 1, max: 500 })])(
    'gives them back, under one id however they came',
    async (bytes, pieceBytes) => {
      const { store } = await memoryNode();
      const { cid, size } = await store.put(bytes);
      expect(await readBack(store, cid)).toEqual(bytes);
      expect([size, await store.sizeOf(cid)]).toEqual([bytes.length, bytes.length]);
      expect((await store.put(inPieces(bytes, pieceBytes))).cid).toBe(cid);
      expect(cid).toBe(rawContentIdOf(bytes));
    },
  );

  it.each([0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB + 7])(
    'of %d bytes reads the same elsewhere',
    async (length) => {
      const { store, disk } = await memoryNode();
      const bytes = pattern(length);
      const { cid, size } = await store.put(inPieces(bytes, 100_000));
      expect(size).toBe(length);
      expect(sameBytes(await readBack(store, cid), bytes)).toBe(true);
      const entry = await exporter(cid, await blockstoreOf(disk));
      const exported =
        entry.type === 'file' || entry.type === 'raw' ? await collect(entry.content()) : undefined;
      expect(sameBytes(exported ?? new Uint8Array(), bytes)).toBe(exported !== undefined);
      expect(cid === rawContentIdOf(bytes)).toBe(length <= MIB);
    },
  );

  it('needs no timer and no thread: everything happens between two turns of the event loop', async () => {
    const { store } = await memoryNode();
    let turned = false;
    setImmediate(() => {
      turned = true;
    });
    const { cid } = await store.put(inPieces(pattern(2 * MIB), 100_000));
    await store.importTree([{ path: 'a/b', source: { bytes: text('b') } }]);
    await readBack(store, cid);
    expect(turned).toBe(false);
  });

  it('leaves nothing of a source that breaks', async () => {
    const { store, disk } = await memoryNode();
    const breaking = async function* (): AsyncGenerator<Uint8Array> {
      yield pattern(3 * MIB);
      throw new Error('broken');
    };
    await expect(store.put(breaking())).rejects.toThrow('broken');
    expect(await blockCount(disk)).toBe(0);
  });

  it('keeps public what was once put as public', async () => {
    const { store } = await memoryNode();
    const { cid } = await store.put(text('a'));
    expect(await store.isPublic(cid)).toBe(false);
    await store.put(text('a'), { public: true });
    await store.put(text('a'));
    expect(await store.isPublic(cid)).toBe(true);
  });
});

describe('putting a tree', () => {
  it.prop([fc.uniqueArray(fc.tuple(anyPath, anyBytes), { selector: ([path]) => path, maxLength: 8 })])(
    'gives back every file by its path, or refuses the paths as a whole',
    async (files) => {
      const { store, disk } = await memoryNode();
      const conflict = files.some(([path]) => files.some(([other]) => other.startsWith(`${path}/`)));
      const entries = files.map(([path, bytes]) => ({ path, source: { bytes } }));
      const importing = store.importTree(entries);
      if (conflict) {
        expect(await failure(importing)).toBe('CONTENT_INVALID');
        expect(await blockCount(disk)).toBe(0);
        return;
      }
      const { cid, bytes: total } = await importing;
      const listed = await store.tree(cid);
      expect(listed.map((entry) => entry.path)).toEqual(files.map(([path]) => path).sort());
      for (const [path, bytes] of files) expect(await readBack(store, cid, path)).toEqual(bytes);
      expect(total).toBe(files.reduce((sum, [, bytes]) => sum + bytes.length, 0));
      expect(await store.sizeOf(cid)).toBe(total);
    },
  );

  it('gives the id that other UnixFS tools give', async () => {
    const files = [
      { path: 'stdout', content: text('hello\n') },
      { path: 'outputs/out/data.bin', content: pattern(2 * MIB + 5) },
      { path: 'outputs/out/empty', content: new Uint8Array() },
    ];
    const { store } = await memoryNode();
    const { cid } = await store.importTree(
      files.map(({ path, content }) => ({ path, source: { bytes: content } })),
    );
    const options = { profile: 'unixfs-v1-2025' as const, wrapWithDirectory: true };
    let last = '';
    for await (const imported of importer(files, new MemoryBlockstore(), options))
      last = imported.cid.toString();
    expect(cid).toBe(last);
  });

  it('can be empty', async () => {
    const { store } = await memoryNode();
    const { cid, bytes } = await store.importTree([]);
    expect([bytes, await store.tree(cid)]).toEqual([0, []]);
  });

  it.each(['', '/a', 'a//b', '../a', 'a/./b', 'a/..', 'a\0b', 'x'.repeat(256), '\ud800', 'a/'.repeat(40)])(
    'refuses the path %j',
    async (path) => {
      const { store, disk } = await memoryNode();
      const entries = [
        { path: 'good', source: { bytes: text('a') } },
        { path, source: { bytes: text('b') } },
      ];
      expect(await failure(store.importTree(entries))).toBe('CONTENT_INVALID');
      expect(await blockCount(disk)).toBe(0);
    },
  );

  it('refuses a folder that does not fit into one block', async () => {
    const { store, disk } = await memoryNode();
    const entries = Array.from({ length: 5000 }, (_, at) => ({
      path: `${'x'.repeat(240)}${at}`,
      source: { bytes: text('a') },
    }));
    expect(await failure(store.importTree(entries))).toBe('CONTENT_TOO_LARGE');
    expect(await blockCount(disk)).toBe(0);
  });
});

describe('finding files', () => {
  it('finds no folder, no file below a file and nothing by a strange path', async () => {
    const { store } = await memoryNode();
    const { cid } = await store.importTree([{ path: 'a/b', source: { bytes: text('b') } }]);
    for (const path of [undefined, '', 'a', 'a/b/c', 'a/../a/b', '/a/b', 'c', 'a/b/']) {
      expect([path, await store.open(cid, path)]).toEqual([path, undefined]);
    }
    expect((await store.open(cid, 'a/b'))?.size).toBe(1);
  });

  it('knows the parts of what is here, and nothing of what is not', async () => {
    const { store } = await memoryNode();
    const { cid } = await store.importTree([{ path: 'a/b', source: { bytes: text('bytes') } }]);
    const [entry] = await store.tree(cid);
    expect(await store.sizeOf(entry?.cid ?? '')).toBe(5);
    const absent = rawContentIdOf(text('absent'));
    expect([await store.sizeOf(absent), await store.open(absent), await store.serve(absent)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(await store.sizeOf('no id')).toBeUndefined();
    expect(await failure(store.tree(absent))).toBe('CONTENT_UNAVAILABLE');
  });
});

describe('files of this machine', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'content-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('come in and go out as they are', async () => {
    const { store } = await memoryNode();
    const bytes = pattern(MIB + 3);
    await writeFile(join(folder, 'in'), bytes);
    const { cid } = await store.importTree([{ path: 'x', source: { hostPath: join(folder, 'in') } }]);
    const [entry] = await store.tree(cid);
    await store.exportFile(entry?.cid ?? '', join(folder, 'out'));
    expect(sameBytes(await readFile(join(folder, 'out')), bytes)).toBe(true);
  });

  it('are refused when they are links, folders or missing', async () => {
    const { store, disk } = await memoryNode();
    await writeFile(join(folder, 'secret'), 'secret');
    await symlink(join(folder, 'secret'), join(folder, 'link'));
    await mkdir(join(folder, 'folder'));
    for (const name of ['link', 'folder', 'missing']) {
      const entries = [{ path: 'x', source: { hostPath: join(folder, name) } }];
      expect([name, await failure(store.importTree(entries))]).toEqual([name, 'CONTENT_INVALID']);
    }
    expect(await blockCount(disk)).toBe(0);
  });

  it('are never written over, nor through a link', async () => {
    const { store } = await memoryNode();
    const { cid } = await store.put(text('new'));
    await writeFile(join(folder, 'old'), 'old');
    await symlink(join(folder, 'elsewhere'), join(folder, 'link'));
    expect(await failure(store.exportFile(cid, join(folder, 'old')))).toBe('STORE_FAILED');
    expect(await failure(store.exportFile(cid, join(folder, 'link')))).toBe('STORE_FAILED');
    expect(await readFile(join(folder, 'old'), 'utf8')).toBe('old');
    await expect(readFile(join(folder, 'elsewhere'))).rejects.toThrow('ENOENT');
  });

  it('are not left half written', async () => {
    const { store, disk } = await memoryNode();
    const { cid } = await store.put(pattern(2 * MIB));
    await disk.files.delete(disk.files.ids().at(1) ?? '');
    expect(await failure(store.exportFile(cid, join(folder, 'out')))).toBe('CONTENT_UNAVAILABLE');
    await expect(readFile(join(folder, 'out'))).rejects.toThrow('ENOENT');
  });
});
