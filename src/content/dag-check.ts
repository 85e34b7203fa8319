import type { CID } from 'multiformats/cid';
import { CodedError } from '../lib/coded-error.ts';
import { invalidContent } from './content-id.ts';
import type { DagNode } from './unixfs-node.ts';

/** Folders and the inner nodes of a file, one below the other. */
/** The deepest path of a result, and the levels of the largest file at its end. */
const MAX_DEPTH = 64 + 16;

export interface DagBounds {
  /** Bytes of all files; a file that is there twice counts twice. */
  readonly maxBytes: number;
  readonly maxBlocks: number;
  readonly maxEntries: number;
  /** Blocks that are not leaves, together. */
  readonly maxNodeBytes: number;
}

export interface DagTotals {
  readonly bytes: number;
  /** Content id and size of each block, once, each parent before its children, depth first. */
  readonly blocks: readonly (readonly [cid: string, size: number])[];
}

interface Subtotal {
  readonly kind: 'file' | 'folder';
  readonly bytes: number;
  readonly entries: number;
}

interface Frame {
  readonly key: string;
  readonly node: Exclude<DagNode, { kind: 'leaf' }>;
  at: number;
  bytes: number;
  entries: number;
}

function tooLarge(message: string): CodedError {
  return new CodedError('CONTENT_TOO_LARGE', message);
}

/**
 * Walks a DAG depth first: says which block comes next, takes it, and adds up what is below each node. Sizes
 * that a node tells are compared with what is really there, and bounds hold for files that are linked many
 * times too, so that a few blocks cannot stand for endless content.
 */
export class DagCheck {
  readonly #root: CID;
  readonly #bounds: DagBounds;
  readonly #done = new Map<string, Subtotal>();
  readonly #stack: Frame[] = [];
  readonly #blocks: (readonly [string, number])[] = [];
  #nodeBytes = 0;

  constructor(root: CID, bounds: DagBounds) {
    this.#root = root;
    this.#bounds = bounds;
  }

  /** The block that comes next; undefined when the DAG is whole. */
  next(): CID | undefined {
    for (let frame = this.#stack.at(-1); frame !== undefined; frame = this.#stack.at(-1)) {
      const link = frame.node.links[frame.at];
      if (link === undefined) {
        this.#close(frame);
        continue;
      }
      const below = this.#done.get(link.cid.toString());
      if (below === undefined) return link.cid;
      this.#add(frame, below);
      frame.at += 1;
    }
    return this.#done.has(this.#root.toString()) ? undefined : this.#root;
  }

  /** Takes the block that {@link next} asked for. Throws `CONTENT_INVALID` or `CONTENT_TOO_LARGE`. */
  take(cid: CID, node: DagNode, blockBytes: number): void {
    const key = cid.toString();
    this.#blocks.push([key, blockBytes]);
    if (this.#blocks.length > this.#bounds.maxBlocks) throw tooLarge('The content has too many blocks.');
    if (node.kind === 'leaf') {
      this.#checkBytes(node.size);
      this.#done.set(key, { kind: 'file', bytes: node.size, entries: 0 });
      return;
    }
    this.#nodeBytes += blockBytes;
    if (this.#nodeBytes > this.#bounds.maxNodeBytes) throw tooLarge('The content has too much structure.');
    if (this.#stack.length >= MAX_DEPTH) throw invalidContent('The content is nested too deeply.');
    const bytes = node.kind === 'file' ? node.data.length : 0;
    this.#checkBytes(claimedBytes(node));
    this.#stack.push({ key, node, at: 0, bytes, entries: 0 });
  }

  /** After {@link next} has given undefined. */
  totals(): DagTotals {
    return { bytes: this.#done.get(this.#root.toString())?.bytes ?? 0, blocks: this.#blocks };
  }

  #close(frame: Frame): void {
    const { kind } = frame.node;
    this.#done.set(frame.key, { kind, bytes: frame.bytes, entries: frame.entries });
    this.#stack.pop();
  }

  #add(frame: Frame, below: Subtotal): void {
    if (frame.node.kind === 'file') {
      if (below.kind !== 'file') throw invalidContent('A file has a folder as a part.');
      if (frame.node.links[frame.at]?.size !== below.bytes) {
        throw invalidContent('A file tells a size that is not that of its part.');
      }
    } else {
      frame.entries += 1 + below.entries;
      if (frame.entries > this.#bounds.maxEntries) throw tooLarge('The content has too many entries.');
    }
    frame.bytes += below.bytes;
    this.#checkBytes(frame.bytes);
  }

  #checkBytes(bytes: number): void {
    if (bytes > this.#bounds.maxBytes) {
      throw tooLarge(`The content has more than the ${this.#bounds.maxBytes} bytes that are allowed for it.`);
    }
  }
}

function claimedBytes(node: Exclude<DagNode, { kind: 'leaf' }>): number {
  if (node.kind === 'folder') return 0;
  return node.links.reduce((sum, link) => sum + link.size, node.data.length);
}
