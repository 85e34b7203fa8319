import type { AdvertAmounts } from '../domain/market/advert.ts';
import type { Location, Pools } from '../domain/matching/capability.ts';
import type { Lease } from '../domain/market/lock.ts';
import type { Asking } from '../domain/units/rate-card.ts';

export interface NodeStatus {
  readonly peerId: string;
  readonly did: string;
  readonly network: string;
  readonly version: string;
  readonly multiaddrs: readonly string[];
  /** How many peers are connected. */
  readonly peers: number;
  /** Those of them that are not of this network, or of another release of it, and will never answer; left out where there are none. */
  readonly foreignPeers?: number;
  /** The networks that they are of. */
  readonly otherNetworks?: readonly string[];
  /** No authority is configured: any identity may take part. */
  readonly openNetwork: boolean;
  /** Takes no new work; undefined on a node that offers nothing. */
  readonly draining?: boolean;
  /** Peers that cost this node more than they may, within the last minute, the newest first; left out where there are none. */
  readonly heldBack?: readonly HeldBackPeer[];
  /** What of the store could not be read since the start; left out where there is nothing. */
  readonly storeDamage?: StoreDamageReport;
}

export interface HeldBackPeer {
  readonly peerId: string;
  /** The network of the owner of its address: a /24 of IPv4, a /48 of IPv6. */
  readonly prefix?: string;
  /** What it did last. */
  readonly code: string;
  readonly times: number;
}

export interface StoreDamageReport {
  readonly count: number;
  readonly first: readonly {
    readonly where: string;
    readonly message: string;
    readonly lost?: readonly string[];
  }[];
}

export interface NodeResources extends Pools {
  readonly leases: readonly Lease[];
  /** Why this node offers nothing, as a sentence; then all amounts are 0, as it has not looked at its machine. */
  readonly offersNothing?: string;
  /** What this node asks, for each partition or by what it takes; undefined on a node that offers nothing. */
  readonly price?: Asking;
  /** As in {@link NodeStatus.draining}. */
  readonly draining?: boolean;
}

/** One line of the peer table. */
export interface PeerLine {
  readonly peerId: string;
  readonly connected: boolean;
  readonly multiaddrs: readonly string[];
  /** Not of this network or of another release: it will never answer. Left out for all others. */
  readonly foreign?: boolean;
  /** The network of a foreign peer, where it has one. */
  readonly network?: string;
  /** Where a foreign peer is of this network: its protocols are of another release. */
  readonly release?: 'older' | 'newer';
  /** What the peer's newest advert said, where there is one; these are there together. */
  readonly version?: string;
  readonly engines?: Readonly<Record<string, string>>;
  readonly runtimes?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly location?: Location;
  readonly free?: AdvertAmounts;
  readonly price?: Asking;
  readonly draining?: boolean;
  /** What the node of the peer can do, as specs/protocols/envelope.md lists it. */
  readonly features?: readonly string[];
  /** Lived times of the advert: when it came, and when it stops being believed. */
  readonly lastSeenAt?: number;
  readonly expiresAt?: number;
}

export interface Readiness {
  readonly ok: boolean;
  /** What is still missing, as sentences. */
  readonly reasons: readonly string[];
}

/** The node around the requester, as the API shows it. No call waits for the network. */
export interface NodeView {
  status(): NodeStatus;
  resources(): NodeResources;
  peers(): readonly PeerLine[];
  ready(): Readiness;
  /** Takes no new work, or takes it again, over restarts too. Rejects with `OFFERS_NOTHING` where there is none to take. */
  setDraining(draining: boolean): Promise<void>;
}

/** Metrics as text; a prom-client registry is one. */
export interface MetricsView {
  readonly contentType: string;
  metrics(): Promise<string>;
}
