import * as dagPb from '@ipld/dag-pb';
import { UnixFS } from 'ipfs-unixfs';
import type { CID } from 'multiformats/cid';
import { CID as ContentId } from 'multiformats/cid';
import { nodeIdOf } from '../../../src/content/content-id.ts';
import { type ContentStore, createContentStore } from '../../../src/content/index.ts';
import type { ContentLimits } from '../../../src/content/options.ts';
import type { BlockOrigin, BlockTransport } from '../../../src/content/ports.ts';
import { rawContentIdOf } from '../../../src/lib/canonical.ts';
import { codeOf } from '../../../src/lib/coded-error.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { FakeClock } from '../../simulation/fake-clock.ts';
import { ContentDisk } from '../fakes/content-disk.ts';

export const MIB = 2 ** 20;
export const ORIGIN: BlockOrigin = { peer: 'peer', peerRecord: new Uint8Array(), contractId: 'contract' };

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

/** Bytes that differ from block to block. */
export function pattern(length: number, seed = 0): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 4093) bytes[at] = (at * 31 + seed + (at >>> 8)) & 0xff;
  if (length > 0) bytes[length - 1] = seed & 0xff;
  return bytes;
}

/** What is offered by the other side; asking for anything else is a fault. */
export class ScriptedTransport implements BlockTransport {
  readonly asked: string[] = [];
  #offered: Iterable<Uint8Array> | AsyncIterable<Uint8Array> = [];

  offer(blocks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): void {
    this.#offered = blocks;
  }

  async *blocks(cid: string): AsyncGenerator<Uint8Array> {
    this.asked.push(cid);
    const blocks = this.#offered;
    yield* blocks;
  }
}

export interface MemoryNode {
  readonly store: ContentStore;
  readonly disk: ContentDisk;
  readonly clock: FakeClock;
  readonly transport: ScriptedTransport;
}

interface MemoryNodeOptions {
  /** What the disk has free; left out, nobody looks. */
  readonly freeBytes?: () => Promise<number | undefined>;
  readonly limits?: Partial<ContentLimits>;
  /** That of an earlier node. */
  readonly disk?: ContentDisk;
  readonly clock?: FakeClock;
}

/** A started store without a disk. */
export async function memoryNode(options: MemoryNodeOptions = {}): Promise<MemoryNode> {
  const disk = options.disk ?? new ContentDisk();
  const clock = options.clock ?? new FakeClock();
  const transport = new ScriptedTransport();
  const store = createContentStore(
    { limits: options.limits ?? {} },
    {
      transport,
      clock,
      logger: silentLogger,
      records: await disk.records(),
      files: disk.files,
      ...(options.freeBytes === undefined ? {} : { freeBytes: options.freeBytes }),
    },
  );
  await store.start();
  return { store, disk, clock, transport };
}

export async function collect(bytes: AsyncIterable<Uint8Array> | undefined): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes ?? []) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

export async function readBack(store: ContentStore, cid: string, path?: string): Promise<Uint8Array> {
  return collect((await store.open(cid, path))?.bytes);
}

/** The blocks a store serves, in order. */
export async function served(store: ContentStore, cid: string): Promise<Uint8Array[]> {
  const blocks: Uint8Array[] = [];
  for await (const block of (await store.serve(cid)) ?? []) blocks.push(block);
  return blocks;
}

export function fetchFrom(node: MemoryNode, cid: string, maxBytes = 64 * MIB): Promise<{ bytes: number }> {
  return node.store.fetch(cid, ORIGIN, maxBytes, new AbortController().signal);
}

/** The code an operation fails with, or `none`. */
export async function failure(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'none';
  } catch (error) {
    return codeOf(error) ?? 'no code';
  }
}

export async function blockCount(disk: ContentDisk): Promise<number> {
  return (await disk.blocks()).size;
}

export interface Node {
  readonly cid: CID;
  readonly block: Uint8Array;
}

export function leaf(bytes: Uint8Array): Node {
  return { cid: ContentId.parse(rawContentIdOf(bytes)), block: bytes };
}

/** A UnixFS node as somebody else could have made it. */
export function node(unixfs: UnixFS, links: readonly (readonly [name: string, child: Node])[] = []): Node {
  const Links = links.map(([Name, child]) => ({ Name, Tsize: child.block.length, Hash: child.cid }));
  const block = dagPb.encode(dagPb.prepare({ Data: unixfs.marshal(), Links }));
  return { cid: nodeIdOf(block), block };
}

export function folder(...entries: (readonly [name: string, child: Node])[]): Node {
  return node(new UnixFS({ type: 'directory' }), entries);
}

export function file(parts: readonly Node[], sizes: readonly number[]): Node {
  const unixfs = new UnixFS({ type: 'file', blockSizes: sizes.map(BigInt) });
  return node(
    unixfs,
    parts.map((part) => ['', part] as const),
  );
}
