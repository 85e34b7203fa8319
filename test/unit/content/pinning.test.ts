import { expect, it } from 'vitest';
import { createMemoryJournal } from '../../../src/content/index.ts';
import { memoryNode, text } from './content-fixtures.ts';

it('many pins of one object share their writes, and each counts', async () => {
  const journal = createMemoryJournal();
  let writes = 0;
  const { store, blockstore } = await memoryNode({
    journal: {
      ...journal,
      append: (lines) => {
        writes += 1;
        return new Promise(setImmediate).then(() => journal.append(lines));
      },
    },
  });
  const { cid } = await store.put(text('a program'));
  const before = writes;
  const owners = Array.from({ length: 50 }, (_, index) => `job ${index}`);
  await Promise.all(owners.map((owner) => store.pin(cid, owner)));
  expect(writes - before).toBeLessThanOrEqual(2);
  const again = await memoryNode({
    journal,
    blockstore,
    limits: { collectAfterMs: 1000, collectEveryMs: 100 },
  });
  for (const owner of owners.slice(1)) await again.store.unpin(owner);
  await again.clock.advanceBy(5000);
  expect(await again.store.sizeOf(cid)).toBe(9);
  await again.store.unpin('job 0');
  await again.clock.advanceBy(5000);
  expect(await again.store.sizeOf(cid)).toBeUndefined();
});

it('an object is not collected while a pin of it is being written', async () => {
  const journal = createMemoryJournal();
  const written = Promise.withResolvers<void>();
  let slow = false;
  const node = await memoryNode({
    limits: { collectAfterMs: 1000, collectEveryMs: 100 },
    journal: {
      ...journal,
      append: async (lines) => {
        if (slow) await written.promise;
        await journal.append(lines);
      },
    },
  });
  const { cid } = await node.store.put(text('a program'));
  slow = true;
  const pinned = node.store.pin(cid, 'job');
  await node.clock.advanceBy(5000);
  written.resolve();
  await pinned;
  await node.clock.advanceBy(5000);
  expect(await node.store.sizeOf(cid)).toBe(9);
});
