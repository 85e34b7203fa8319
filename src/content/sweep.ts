import type { Logger } from '../lib/logger.ts';
import type { BlockStore } from './block-store.ts';
import { parseContentId } from './content-id.ts';
import type { ContentRecords } from './ports.ts';

/**
 * Brings files and records together after a restart: blocks that belong to nothing are what an interrupted import or
 * collection left and go; an object whose files are not all there is forgotten.
 */
export async function sweep(blocks: BlockStore, records: ContentRecords, logger: Logger): Promise<void> {
  const found = new Set<string>();
  const stale: string[] = [];
  for await (const key of blocks.files()) {
    if (parseContentId(key) === undefined) continue;
    found.add(key);
    if (records.blockSize(key) === undefined || records.isInline(key)) stale.push(key);
  }
  await blocks.deleteFiles(stale);
  const broken = [...records.objects()].filter(
    (object) => !object.blocks.every(([key]) => found.has(key) || records.isInline(key)),
  );
  if (broken.length === 0) return;
  logger.warn('content is gone from the disk', { objects: broken.length });
  await records.commit(broken.map(({ cid }) => ({ op: 'drop' as const, cid })));
}
