import type { CID } from 'multiformats/cid';
import { isLeaf } from './content-id.ts';
import { DagCheck, type DagBounds, type DagTotals } from './dag-check.ts';
import { pathNames } from './paths.ts';
import { decodeNode, type DagNode } from './unixfs-node.ts';

/** Where blocks are read. */
export interface BlockSource {
  /** The size of a block that is here. */
  sizeOf(key: string): number | undefined;
  read(cid: CID): Promise<Uint8Array>;
}

export interface FileEntry {
  readonly path: string;
  readonly cid: CID;
  readonly size: number;
}

/** A leaf is told by its size alone; only nodes are read. */
async function nodeAt(
  cid: CID,
  source: BlockSource,
): Promise<{ readonly node: DagNode; readonly size: number }> {
  const size = source.sizeOf(cid.toString());
  if (isLeaf(cid) && size !== undefined) return { node: { kind: 'leaf', size }, size };
  const block = await source.read(cid);
  return { node: decodeNode(cid, block), size: block.length };
}

function fileSize(node: Exclude<DagNode, { kind: 'folder' }>): number {
  if (node.kind === 'leaf') return node.size;
  return node.links.reduce((sum, link) => sum + link.size, node.data.length);
}

/** Walks everything below `root` and adds it up. Throws as {@link DagCheck} does. */
export async function measure(root: CID, source: BlockSource, bounds: DagBounds): Promise<DagTotals> {
  const check = new DagCheck(root, bounds);
  for (let cid = check.next(); cid !== undefined; cid = check.next()) {
    const { node, size } = await nodeAt(cid, source);
    check.take(cid, node, size);
  }
  return check.totals();
}

/** The file at `path` below `root`, or `root` itself without a path; undefined when there is no file. */
export async function findFile(
  root: CID,
  path: string | undefined,
  source: BlockSource,
): Promise<{ readonly cid: CID; readonly size: number } | undefined> {
  const names = path === undefined || path === '' ? [] : pathNames(path);
  if (names === undefined) return undefined;
  let cid = root;
  for (const name of names) {
    const { node } = await nodeAt(cid, source);
    const entry = node.kind === 'folder' ? node.links.find((link) => link.name === name) : undefined;
    if (entry === undefined) return undefined;
    cid = entry.cid;
  }
  const { node } = await nodeAt(cid, source);
  return node.kind === 'folder' ? undefined : { cid, size: fileSize(node) };
}

/** All files below a folder, in no order. How many there can be was checked when the content came in. */
export async function filesBelow(root: CID, source: BlockSource, prefix = ''): Promise<FileEntry[]> {
  const { node } = await nodeAt(root, source);
  if (node.kind !== 'folder') {
    return prefix === '' ? [] : [{ path: prefix.slice(0, -1), cid: root, size: fileSize(node) }];
  }
  const files: FileEntry[] = [];
  for (const { name, cid } of node.links) files.push(...(await filesBelow(cid, source, `${prefix}${name}/`)));
  return files;
}

/** The bytes of a file in order, a block at a time. */
export async function* fileBytes(cid: CID, source: BlockSource): AsyncGenerator<Uint8Array> {
  const block = await source.read(cid);
  const node = decodeNode(cid, block);
  if (node.kind === 'leaf') {
    if (block.length > 0) yield block;
    return;
  }
  if (node.kind === 'folder') return;
  if (node.data.length > 0) yield node.data;
  for (const link of node.links) yield* fileBytes(link.cid, source);
}
