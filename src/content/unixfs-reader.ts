import type { CID } from 'multiformats/cid';
import { isLeaf } from './content-id.ts';
import type { Folder, FolderCache } from './folder-cache.ts';
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

/** What is at `cid`, without decoding a folder that is in the cache. */
async function read(
  cid: CID,
  source: BlockSource,
  cache: FolderCache,
): Promise<{ readonly folder: Folder } | { readonly size: number }> {
  const key = cid.toString();
  const cached = cache.get(key);
  if (cached !== undefined) return { folder: cached };
  const { node } = await nodeAt(cid, source);
  if (node.kind !== 'folder') return { size: fileSize(node) };
  const folder = new Map(node.links.map((link) => [link.name, link.cid]));
  cache.put(key, folder);
  return { folder };
}

/** The file at `path` below `root`, or `root` itself without a path; undefined when there is no file. */
export async function findFile(
  root: CID,
  path: string | undefined,
  source: BlockSource,
  cache: FolderCache,
): Promise<{ readonly cid: CID; readonly size: number } | undefined> {
  const names = path === undefined || path === '' ? [] : pathNames(path);
  if (names === undefined) return undefined;
  let cid = root;
  for (const name of names) {
    const found = await read(cid, source, cache);
    const entry = 'folder' in found ? found.folder.get(name) : undefined;
    if (entry === undefined) return undefined;
    cid = entry;
  }
  const found = await read(cid, source, cache);
  return 'folder' in found ? undefined : { cid, size: found.size };
}

/** All files below a folder, in no order. How many there can be was checked when the content came in. */
export async function filesBelow(
  root: CID,
  source: BlockSource,
  cache: FolderCache,
  prefix = '',
): Promise<FileEntry[]> {
  const found = await read(root, source, cache);
  if (!('folder' in found)) {
    return prefix === '' ? [] : [{ path: prefix.slice(0, -1), cid: root, size: found.size }];
  }
  const files: FileEntry[] = [];
  for (const [name, cid] of found.folder) {
    const path = `${prefix}${name}`;
    const leafSize = isLeaf(cid) ? source.sizeOf(cid.toString()) : undefined;
    if (leafSize === undefined) files.push(...(await filesBelow(cid, source, cache, `${path}/`)));
    else files.push({ path, cid, size: leafSize });
  }
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
