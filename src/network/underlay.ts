import type { Startable } from '../lib/startable.ts';

/**
 * A duplex of whole frames to one peer, in order, each at most the protocol's frame limit.
 * Both libp2p streams and the loopback give this; so does the simulated network.
 */
export interface Channel {
  readonly peer: string;
  /** Resolves when the frame was handed on and the other side's window has room. Rejects with `CHANNEL_CLOSED`. */
  send(frame: Uint8Array): Promise<void>;
  /**
   * The next frame; `undefined` when the other side has ended its half. Rejects with `CHANNEL_CLOSED`, `FRAME_TOO_LARGE`,
   * `FRAME_EMPTY`, `FRAME_LENGTH_INVALID`, `FRAME_UNFINISHED` or `UNREAD_TOO_MUCH`.
   */
  receive(): Promise<Uint8Array | undefined>;
  /** Ends this side's half after what was sent; receiving goes on. */
  close(): Promise<void>;
  /** Drops the channel at once, both ways. */
  abort(): void;
  /** Settles when the channel is over, for whatever reason; never rejects. */
  readonly ended: Promise<void>;
}

export interface ProtocolLimits {
  readonly maxFrameBytes: number;
  /** Channels of this protocol that one peer may have open towards us. */
  readonly maxChannelsPerPeer: number;
  readonly maxChannels: number;
}

export type GossipVerdict = 'accept' | 'ignore' | 'reject';

export interface UnderlayListener {
  peerConnected(peer: string): void;
  peerDisconnected(peer: string): void;
  /** The peers that listen on a topic changed. */
  subscribersChanged(topic: string): void;
  /**
   * This node worked so long on what it read from the peer: all that followed from it without waiting for anything,
   * whoever did it. Told after the fact, at most once for each peer and turn of the event loop.
   */
  worked?(peer: string, workMs: number): void;
  /**
   * What the peer sent is wrong below the protocols, by its code. Told once for each channel or connection that it ended;
   * where it ends a channel, `receive` rejects with the same code.
   */
  faulted?(peer: string, code: string): void;
}

export interface OpenOptions {
  /** Signed peer record to find the peer by when there is no connection. Without it only an existing connection serves. */
  readonly peerRecord?: Uint8Array;
  readonly timeoutMs: number;
  /** At the wish of a peer without a history here: it is dialled out of the smaller budget that strangers share. */
  readonly forStranger?: boolean;
}

/** Connections now, by who opened them, and those refused before their handshake since the start. */
export interface ConnectionCounts {
  readonly inbound: number;
  readonly outbound: number;
  readonly refused: number;
}

/** A connected peer that this node has no words with. */
export interface ForeignPeer {
  readonly peer: string;
  /** Its network; undefined for one that is no Bidmesh node. */
  readonly network?: string;
  /** It is of this network, and speaks other versions of all its protocols. */
  readonly release?: 'older' | 'newer';
}

/** The transport under the protocols. Handlers are registered before `start`. */
export interface Underlay extends Startable {
  readonly self: string;
  readonly maxGossipBytes: number;
  /** `validate` runs once for each message that is new here, and says what gossip does with it. */
  subscribe(topic: string, validate: (from: string, message: Uint8Array) => GossipVerdict): void;
  /** Hands the message to the mesh; with nobody there it is dropped without an error. */
  publish(topic: string, message: Uint8Array): Promise<void>;
  /** Connected peers that listen on the topic, never this node. */
  subscribers(topic: string): readonly string[];
  handle(protocol: string, limits: ProtocolLimits, handler: (channel: Channel) => void): void;
  /**
   * Rejects with `PEER_UNREACHABLE` or `PROTOCOL_UNSUPPORTED`; where there is no connection and the peer record is dialled,
   * also with `ADDRESS_REFUSED` (none of its addresses may be dialled from here) or `DIAL_BUDGET_EXHAUSTED`.
   */
  open(peer: string, protocol: string, limits: ProtocolLimits, options: OpenOptions): Promise<Channel>;
  /** Connects to a peer that is not connected, unless this node has enough of them. Rejects as `open` does. */
  meet(peer: string, peerRecord: Uint8Array): Promise<void>;
  isConnected(peer: string): boolean;
  connectedPeers(): readonly string[];
  /** The far ends of the connections with a peer, as multiaddrs; of one that it opened that is not where it listens. */
  addressesOf?(peer: string): readonly string[];
  connectionCounts(): ConnectionCounts;
  /** Connected peers that have said what they speak, and it is nothing of this network: they will never answer. */
  foreignPeers(): readonly ForeignPeer[];
  /**
   * Spares this node a neighbour that sends too much, where the transport can: it is read again after a moment. One
   * that `goesOn` and has not answered on a channel of ours is let go for a while; losing it is told like any other loss.
   */
  restrain?(peer: string, goesOn: boolean): void;
  /**
   * Reads nothing of the peer for so long, on all connections with it and on those that it opens meanwhile: what it sends
   * waits on its own side. A longer time takes the place of a shorter one that is under way.
   */
  holdBack?(peer: string, durationMs: number): void;
  /** What the far end of a connected peer has in common with others of one owner: its /24 of IPv4, its /48 of IPv6. */
  prefixOf?(peer: string): string | undefined;
  /** True for a peer that this node's user named, by its address. */
  isNamed?(peer: string): boolean;
  /** The newest measured time to a connected peer and back, where the transport measures it. */
  roundTripMs?(peer: string): number | undefined;
  /** This node's signed peer record: at most 8 addresses. */
  peerRecord(): Uint8Array;
  multiaddrs(): readonly string[];
  listen(listener: UnderlayListener): void;
}
