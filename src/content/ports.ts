import type { ContentChange, StoredObject } from '../domain/program/stored-content.ts';

/** Where a block stream comes from: a peer that is the counterpart of a contract. */
export interface BlockOrigin {
  readonly peer: string;
  readonly peerRecord: Uint8Array;
  readonly contractId: string;
}

/** What content needs from the network: the blocks of a DAG, root first, each parent before its children, depth first. */
export interface BlockTransport {
  /** Rejects (while iterating) with `PEER_UNREACHABLE`, `CONTENT_DENIED` or `CONTENT_UNAVAILABLE`. */
  blocks(cid: string, from: BlockOrigin, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** What the network may ask content for. */
export interface ContentHandler {
  /** The blocks of a DAG in the order {@link BlockTransport} gives them, or undefined when it is not here in full. */
  serve(cid: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** Marked public: any peer may have it. */
  isPublic(cid: string): Promise<boolean>;
}

/**
 * What content needs from the store: which objects are here, who keeps them, and the bytes of small blocks. Reads are
 * answered at once from memory and give what is durable.
 */
export interface ContentRecords {
  /** Bytes of all blocks; a block counts once, however many objects have it. */
  readonly bytes: number;
  /** Of these, the bytes that are in the database. */
  readonly inlineBytes: number;
  object(cid: string): StoredObject | undefined;
  objects(): Iterable<StoredObject>;
  blockSize(cid: string): number | undefined;
  isInline(cid: string): boolean;
  isPinned(cid: string): boolean;
  pinsOf(owner: string): ReadonlySet<string>;
  /** Blocks that are in no other object. */
  ownBlocksOf(object: StoredObject): readonly string[];
  /** The bytes of an inline block. */
  inlineBlock(cid: string): Promise<Uint8Array | undefined>;
  /**
   * Writes the changes as one batch; resolves when it is on disk. Changes count in the order of the calls. Rejects with
   * `STORE_BUSY`, `COMMIT_TOO_LARGE`, `STORE_FAILED` or `STORE_CLOSED`.
   */
  commit(changes: readonly ContentChange[]): Promise<void>;
}

/** Larger blocks, each a file of its own, by content id. Rejects with what the system says. */
export interface BlockFiles {
  open(): Promise<void>;
  /** Durable only after {@link sync}: until then it belongs to no object, and what a crash leaves of it is swept. */
  put(cid: string, bytes: Uint8Array): Promise<void>;
  get(cid: string): Promise<Uint8Array>;
  delete(cid: string): Promise<void>;
  list(): AsyncIterable<string>;
  /** Makes blocks durable that were put, and their names. */
  sync(cids: readonly string[]): Promise<void>;
}
