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
export interface ContentDesk {
  /** The blocks of a DAG in the order {@link BlockTransport} gives them, or undefined when it is not here in full. */
  serve(cid: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** Marked public: any peer may have it. */
  isPublic(cid: string): Promise<boolean>;
}
