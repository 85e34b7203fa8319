import type { CID } from 'multiformats/cid';
import { CodedError, codeOf, messageOf } from '../lib/coded-error.ts';
import { invalidContent, isBlockOf, MAX_BLOCK_BYTES } from './content-id.ts';
import { DagCheck, type DagBounds, type DagTotals } from './dag-check.ts';
import type { Intake } from './staging.ts';
import { decodeNode } from './unixfs-node.ts';

function unavailable(root: CID, cause?: unknown): CodedError {
  const why = cause === undefined ? 'the stream ended early' : messageOf(cause);
  return new CodedError('CONTENT_UNAVAILABLE', `The content ${root.toString()} did not come: ${why}`, {
    cause,
    data: { cause: codeOf(cause) },
  });
}

/** Blocks as they come; whatever breaks the stream means that the content is not available. */
async function* arriving(root: CID, blocks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* blocks;
  } catch (cause) {
    throw unavailable(root, cause);
  }
}

/**
 * Takes the blocks of a DAG from a stream that is not trusted. Each block must be the very one that comes next:
 * the root, then each parent before its children, depth first, no block twice and none too many.
 */
export async function receiveDag(
  root: CID,
  blocks: AsyncIterable<Uint8Array>,
  intake: Intake,
  bounds: DagBounds,
  signal: AbortSignal,
  onBlock?: (bytes: number) => void,
): Promise<DagTotals> {
  const check = new DagCheck(root, bounds);
  for await (const block of arriving(root, blocks)) {
    signal.throwIfAborted();
    const cid = check.next();
    if (cid === undefined) throw invalidContent('There are more blocks than belong to the content.');
    if (block.length > MAX_BLOCK_BYTES) throw invalidContent('A block is larger than any may be.');
    if (!isBlockOf(cid, block)) throw invalidContent('A block is not the one that comes next.');
    check.take(cid, decodeNode(cid, block), block.length);
    onBlock?.(block.length);
    await intake.offer(cid, block);
  }
  signal.throwIfAborted();
  if (check.next() !== undefined) throw unavailable(root);
  return check.totals();
}
