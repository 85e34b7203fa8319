import { describe, expect, it, vi } from 'vitest';
import { FolderCache, MOST_CACHED_ENTRIES } from '../../../src/content/folder-cache.ts';
import { memoryNode, readBack, text } from './content-fixtures.ts';

describe('files of a large folder, one after the other', () => {
  it('are found without reading the folder anew for each', async () => {
    const { store, disk } = await memoryNode({ limits: { inlineObjectBytes: 0 } });
    const paths = Array.from({ length: 500 }, (_, index) => `outputs/many/${index}.json`);
    const { cid } = await store.importTree(paths.map((path) => ({ path, source: { bytes: text(path) } })));
    await store.pin(cid, 'owner');
    const reads = vi.spyOn(disk.files, 'get');
    for (const path of paths) expect(await readBack(store, cid, path)).toEqual(text(path));
    // Each file is a block, and there are three folders above them.
    expect(reads.mock.calls.length).toBeLessThanOrEqual(paths.length + 3);
    expect(await store.open(cid, 'outputs/many/500.json')).toBeUndefined();
    expect(await store.open(cid, 'outputs/many')).toBeUndefined();
    expect((await store.tree(cid)).map(({ path }) => path)).toEqual(paths.toSorted());
  });
});

describe('the cache of folders', () => {
  const folderOf = (entries: number): ReadonlyMap<string, never> =>
    new Map(Array.from({ length: entries }, (_, index) => [`n${index}`, undefined as never]));

  it('lets go of the one that was not used for longest where there are too many entries', () => {
    const cache = new FolderCache();
    for (const cid of ['a', 'b', 'c']) cache.put(cid, folderOf(MOST_CACHED_ENTRIES / 4));
    cache.get('a');
    cache.put('d', folderOf(MOST_CACHED_ENTRIES / 4));
    expect(['a', 'b', 'c', 'd'].filter((cid) => cache.get(cid) !== undefined)).toEqual(['a', 'c', 'd']);
  });
});
