import * as dagPb from '@ipld/dag-pb';
import { UnixFS } from 'ipfs-unixfs';
import type { CID } from 'multiformats/cid';
import { invalidContent, isLeaf, isStorable } from './content-id.ts';
import { isEntryName } from './paths.ts';

/** One link of a file: `size` is what the file's node says of the bytes below it. */
export interface FileLink {
  readonly cid: CID;
  readonly size: number;
}

export interface FolderLink {
  readonly name: string;
  readonly cid: CID;
}

export type DagNode =
  | { readonly kind: 'leaf'; readonly size: number }
  | { readonly kind: 'file'; readonly data: Uint8Array; readonly links: readonly FileLink[] }
  | { readonly kind: 'folder'; readonly links: readonly FolderLink[] };

const NO_DATA = new Uint8Array();

function decodePb(block: Uint8Array): { readonly links: readonly dagPb.PBLink[]; readonly unixfs: UnixFS } {
  try {
    const node = dagPb.decode(block);
    return { links: node.Links, unixfs: UnixFS.unmarshal(node.Data ?? NO_DATA) };
  } catch (cause) {
    throw invalidContent('A block is no UnixFS node.', cause);
  }
}

function fileNode(unixfs: UnixFS, links: readonly dagPb.PBLink[]): DagNode {
  const { blockSizes } = unixfs;
  if (blockSizes.length !== links.length)
    throw invalidContent('A file does not tell the sizes of its parts.');
  return {
    kind: 'file',
    data: unixfs.data ?? NO_DATA,
    links: links.map((link, at) => {
      const size = Number(blockSizes[at]);
      if (!Number.isSafeInteger(size)) throw invalidContent('A file has a part of an impossible size.');
      return { cid: link.Hash, size };
    }),
  };
}

function folderNode(links: readonly dagPb.PBLink[]): DagNode {
  const names = new Set<string>();
  const checked = links.map((link) => {
    const name = link.Name ?? '';
    if (!isEntryName(name) || names.has(name)) {
      throw invalidContent('A folder has an entry whose name is not allowed or there twice.');
    }
    names.add(name);
    return { name, cid: link.Hash };
  });
  return { kind: 'folder', links: checked };
}

/** The node in a block whose hash was checked. Throws `CONTENT_INVALID` for links, shards and unknown types. */
export function decodeNode(cid: CID, block: Uint8Array): DagNode {
  if (isLeaf(cid)) return { kind: 'leaf', size: block.length };
  const { links, unixfs } = decodePb(block);
  if (!links.every((link) => isStorable(link.Hash))) {
    throw invalidContent('A node links to a block of a kind that is not stored here.');
  }
  switch (unixfs.type) {
    case 'file':
    case 'raw':
      return fileNode(unixfs, links);
    case 'directory':
      return folderNode(links);
    default:
      throw invalidContent(`A UnixFS ${unixfs.type} is not taken: only files and folders are.`);
  }
}
