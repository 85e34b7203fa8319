import type { RateLimit } from '../../lib/token-bucket.ts';

/** `client` asks others for addresses; `server` also answers, and is for well connected nodes of a large network. */
export type KadDhtMode = 'off' | 'client' | 'server';

export interface Libp2pOptions {
  /** Part of the discovery tag and of the address lookup's protocol id, so that networks do not meet. */
  readonly network: string;
  readonly listen: readonly string[];
  /** Told to others in place of the addresses listened on. */
  readonly announce: readonly string[];
  /** Nodes to stay connected with; they are dialled again whenever they are lost. */
  readonly bootstrap: readonly string[];
  readonly mdns: boolean;
  readonly kadDht: KadDhtMode;
  /** A node with too many neighbours tells the surplus ones about each other. */
  readonly peerExchange: boolean;
  /** Passes what libp2p logs on, at `debug`. Costly: every message is formatted. */
  readonly libp2pLogs: boolean;
  readonly limits: Libp2pLimits;
}

/** Bounds of the libp2p transport; listed in specs/limits.md. */
export interface Libp2pLimits {
  readonly maxConnections: number;
  /** Connections that others open, before the handshake. libp2p's own 5 a second lose most of a local network. */
  readonly inboundInTotal: RateLimit;
  /** Per /24 of IPv4 and /48 of IPv6. */
  readonly inboundPerPrefix: RateLimit;
  /** Connections whose handshake is not over: of everybody, and of each /24 of IPv4 and /48 of IPv6. */
  /** Handshakes of one prefix that begin at once, and how fast others follow: who is beyond it waits. */
  readonly handshakesPerPrefix: RateLimit;
  readonly maxPendingInboundConnections: number;
  readonly pendingPerPrefix: number;
  /** Peers met by discovery are dialled only below this number of connected ones. */
  readonly targetPeers: number;
  /** Disconnected peers whose addresses are remembered. */
  readonly maxRememberedPeers: number;
  readonly maxGossipBytes: number;
  /** Of one gossip exchange; an honest peer stays below, see `gossip-settings.ts`. */
  readonly maxGossipMessagesPerExchange: number;
  readonly maxTopicsPerPeer: number;
  readonly maxAddressesDialled: number;
  readonly addressDialTimeoutMs: number;
  readonly dialsInTotal: RateLimit;
  /** Per /24 of IPv4 and /48 of IPv6. */
  readonly dialsPerPrefix: RateLimit;
  /** Of those in total, at the wish of peers without a history with this node. */
  readonly dialsForStrangers: RateLimit;
  readonly maxStreamsPerConnection: number;
  /** A neighbour that sends too much is not read for so long, and up to twice as long. */
  readonly holdBackMs: number;
  /** One that never answered this node is let go for so long, and `maxShunnedPeers` of them are remembered. */
  readonly shunMs: number;
  readonly maxShunnedPeers: number;
  /** Each of them counts against the network it came from as so many connections of `inboundPerPrefix`. */
  readonly letGoCost: number;
  readonly streamWindowBytes: number;
  /** What arrived on a peer's channels and waits here: of one that answered or was named, and of any other. */
  readonly unreadOfPeerBytes: number;
  readonly unreadOfStrangerBytes: number;
  readonly unreadOfStrangersBytes: number;
  /** What was written and not sent yet, because the other side does not read. */
  readonly unsentPerConnectionBytes: number;
  readonly unsentInTotalBytes: number;
}

export const defaultLibp2pLimits: Libp2pLimits = {
  maxConnections: 500,
  inboundInTotal: { burst: 512, perSecond: 64 },
  inboundPerPrefix: { burst: 256, perSecond: 8 },
  handshakesPerPrefix: { burst: 8, perSecond: 40 },
  maxPendingInboundConnections: 1024,
  pendingPerPrefix: 64,
  targetPeers: 48,
  maxRememberedPeers: 2000,
  maxGossipBytes: 4096,
  maxGossipMessagesPerExchange: 256,
  maxTopicsPerPeer: 32,
  maxAddressesDialled: 3,
  addressDialTimeoutMs: 3000,
  dialsInTotal: { burst: 48, perSecond: 32 },
  dialsPerPrefix: { burst: 32, perSecond: 8 },
  dialsForStrangers: { burst: 12, perSecond: 16 },
  maxStreamsPerConnection: 1024,
  holdBackMs: 500,
  shunMs: 60_000,
  maxShunnedPeers: 4096,
  letGoCost: 4,
  streamWindowBytes: 2 * 1024 * 1024,
  unreadOfPeerBytes: 64 * 1024 * 1024,
  unreadOfStrangerBytes: 8 * 1024 * 1024,
  unreadOfStrangersBytes: 16 * 1024 * 1024,
  unsentPerConnectionBytes: 4 * 1024 * 1024,
  unsentInTotalBytes: 32 * 1024 * 1024,
};
