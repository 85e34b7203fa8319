import * as dagPb from '@ipld/dag-pb';
import { UnixFS } from 'ipfs-unixfs';
import { importFile, type ImporterOptions } from 'ipfs-unixfs-importer';
import { fixedSize } from 'ipfs-unixfs-importer/chunker';
import { balanced } from 'ipfs-unixfs-importer/layout';
import type { CID } from 'multiformats/cid';
import { invalidContent, leafIdOf, MAX_BLOCK_BYTES, nodeIdOf } from './content-id.ts';
import { readHostFile } from './host-file.ts';
import { pathNames } from './paths.ts';
import type { Intake } from './staging.ts';

const LINKS_PER_NODE = 1024;

/**
 * These make the content id of a file a function of its bytes alone: changing one changes ids. A file of at most
 * one block has the id of its plain bytes.
 */
const IMPORT_OPTIONS: ImporterOptions = {
  cidVersion: 1,
  rawLeaves: true,
  reduceSingleLeafToSelf: true,
  chunker: fixedSize({ chunkSize: MAX_BLOCK_BYTES }),
  layout: balanced({ maxChildrenPerNode: LINKS_PER_NODE }),
  blockWriteConcurrency: 1,
  fileImportConcurrency: 1,
};

export type FileSource =
  | { readonly hostPath: string }
  | { readonly bytes: Uint8Array }
  | { readonly stream: AsyncIterable<Uint8Array> };

/** A node, and the size of all blocks below it: what a link to it says. */
interface Imported {
  readonly cid: CID;
  readonly totalBytes: number;
}

interface Folder {
  readonly folders: Map<string, Folder>;
  readonly files: Map<string, FileSource>;
}

function contentOf(source: FileSource): Uint8Array | AsyncIterable<Uint8Array> {
  if ('bytes' in source) return source.bytes;
  return 'stream' in source ? source.stream : readHostFile(source.hostPath);
}

async function importSource(source: FileSource, intake: Intake): Promise<Imported> {
  const blockstore = {
    put: async (cid: CID, block: Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>) => {
      if (!(block instanceof Uint8Array)) throw invalidContent('The importer made a block of no bytes.');
      await intake.offer(cid, block);
      return cid;
    },
  };
  const { cid, size } = await importFile({ content: contentOf(source) }, blockstore, IMPORT_OPTIONS);
  return { cid, totalBytes: Number(size) };
}

/** Makes a file of bytes; gives its content id. */
export async function importContent(source: FileSource, intake: Intake): Promise<CID> {
  if ('bytes' in source && source.bytes.length <= MAX_BLOCK_BYTES) {
    // What the importer would make of it as well, at a tenth of the cost.
    const cid = leafIdOf(source.bytes);
    await intake.offer(cid, source.bytes);
    return cid;
  }
  return (await importSource(source, intake)).cid;
}

function newFolder(): Folder {
  return { folders: new Map(), files: new Map() };
}

function place(root: Folder, path: string, source: FileSource): void {
  const names = pathNames(path);
  const name = names?.at(-1);
  if (names === undefined || name === undefined)
    throw invalidContent(`${path} is no relative path of a file.`);
  let folder = root;
  for (const step of names.slice(0, -1)) {
    if (folder.files.has(step)) throw invalidContent(`${path} is below something that is a file.`);
    const below = folder.folders.get(step) ?? newFolder();
    folder.folders.set(step, below);
    folder = below;
  }
  if (folder.files.has(name) || folder.folders.has(name)) throw invalidContent(`${path} is there twice.`);
  folder.files.set(name, source);
}

async function importFolder(folder: Folder, intake: Intake): Promise<Imported> {
  const links: dagPb.PBLink[] = [];
  const add = (Name: string, { cid, totalBytes }: Imported): void => {
    links.push({ Name, Tsize: totalBytes, Hash: cid });
  };
  for (const [name, below] of folder.folders) add(name, await importFolder(below, intake));
  for (const [name, source] of folder.files) add(name, await importSource(source, intake));
  const data = new UnixFS({ type: 'directory' }).marshal();
  const block = dagPb.encode(dagPb.prepare({ Data: data, Links: links }));
  const cid = nodeIdOf(block);
  await intake.offer(cid, block);
  return { cid, totalBytes: links.reduce((sum, link) => sum + (link.Tsize ?? 0), block.length) };
}

/** Makes a folder of files; gives its content id. Throws `CONTENT_INVALID` for a path that cannot be in a folder. */
export async function importFolderOf(
  entries: readonly { readonly path: string; readonly source: FileSource }[],
  intake: Intake,
): Promise<CID> {
  const root = newFolder();
  for (const { path, source } of entries) place(root, path, source);
  return (await importFolder(root, intake)).cid;
}
