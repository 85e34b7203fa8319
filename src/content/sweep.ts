import { CID } from 'multiformats/cid';
import type { Logger } from '../lib/logger.ts';
import type { BlockStore } from './block-store.ts';
import type { InventoryBook } from './inventory-book.ts';

function digestOf(cid: CID): string {
  return Buffer.from(cid.multihash.digest).toString('base64');
}

/**
 * Brings shelf and inventory together after a restart: blocks that belong to nothing are what an interrupted
 * import left and go; an object whose blocks are not all there is forgotten. Compares digests: a shelf may not
 * tell which kind of block it holds.
 */
export async function sweep(blocks: BlockStore, book: InventoryBook, logger: Logger): Promise<void> {
  const { inventory } = book;
  const wanted = new Map<string, string>();
  for (const key of inventory.blocks()) wanted.set(key, digestOf(CID.parse(key)));
  const wantedDigests = new Set(wanted.values());
  const found = new Set<string>();
  const stale: CID[] = [];
  for await (const { cid } of blocks.all()) {
    const digest = digestOf(cid);
    found.add(digest);
    if (!wantedDigests.has(digest)) stale.push(cid);
  }
  await blocks.remove(stale, Promise.resolve(true));
  const broken = [...inventory.objects()].filter(
    (object) => !object.blocks.every(([key]) => found.has(wanted.get(key) ?? '')),
  );
  if (broken.length === 0) return;
  logger.warn('content is gone from the disk', { objects: broken.length });
  await book.commit(...broken.map(({ cid }) => ({ op: 'drop' as const, cid })));
}
