import { expect, it } from 'vitest';
import { ContentDisk } from '../fakes/content-disk.ts';
import { memoryNode, text } from './content-fixtures.ts';

it('many pins of one object share their writes, and each counts', async () => {
  const disk = new ContentDisk();
  const write = disk.database.batch.bind(disk.database);
  let writes = 0;
  disk.database.batch = (operations) => {
    writes += 1;
    return new Promise(setImmediate).then(() => write(operations));
  };
  const { store } = await memoryNode({ disk });
  const { cid } = await store.put(text('a program'));
  const before = writes;
  const owners = Array.from({ length: 50 }, (_, index) => `job ${index}`);
  await Promise.all(owners.map((owner) => store.pin(cid, owner)));
  expect(writes - before).toBeLessThanOrEqual(2);
  disk.database.batch = write;
  const again = await memoryNode({ disk, limits: { collectAfterMs: 1000, collectEveryMs: 100 } });
  for (const owner of owners.slice(1)) await again.store.unpin(owner);
  await again.clock.advanceBy(5000);
  expect(await again.store.sizeOf(cid)).toBe(9);
  await again.store.unpin('job 0');
  await again.clock.advanceBy(5000);
  expect(await again.store.sizeOf(cid)).toBeUndefined();
});

it('an object is not collected while a pin of it is being written', async () => {
  const node = await memoryNode({ limits: { collectAfterMs: 1000, collectEveryMs: 100 } });
  const { cid } = await node.store.put(text('a program'));
  const { database } = node.disk;
  const write = database.batch.bind(database);
  const written = Promise.withResolvers<void>();
  database.batch = async (operations) => {
    await written.promise;
    await write(operations);
  };
  const pinned = node.store.pin(cid, 'job');
  await node.clock.advanceBy(5000);
  written.resolve();
  await pinned;
  await node.clock.advanceBy(5000);
  expect(await node.store.sizeOf(cid)).toBe(9);
});
