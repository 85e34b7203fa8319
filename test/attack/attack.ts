import type { ProtocolNames } from '../../src/network/names.ts';
import type { BenchPeer } from '../bench/bench-peer.ts';
import type { HostileHost, HostOptions } from './hostile-host.ts';

/** One node of the stage, as those who attack it know it. */
export interface Target {
  readonly peerId: string;
  /** A multiaddr on loopback, with the peer id. */
  readonly address: string;
}

/** What an attack works with, in a process of its own. */
export interface Scene {
  readonly network: string;
  readonly names: ProtocolNames;
  readonly provider: Target;
  readonly requester: Target;
  readonly targets: readonly Target[];
  /** A bare libp2p host with an identity of its own: it writes what it likes on any stream. */
  host(options?: HostOptions): Promise<HostileHost>;
  /** An identity on the production transport: it gossips and signs as a node does. Not started. */
  peer(target: Target, options?: Pick<HostOptions, 'localAddress'>): BenchPeer;
  /** Counts what was done, for the report: an attack that did nothing proves nothing. */
  count(what: string, by?: number): void;
  /** Counts what the node did not take, by the error that was seen of it. */
  refused(error: unknown): void;
}

/** Goes on until the signal is aborted. */
export type Run = (signal: AbortSignal) => Promise<void>;

export interface Attack {
  readonly name: string;
  /** What it does, and what of the node it is after. */
  readonly about: string;
  /** What it goes through. */
  readonly protocol: string;
  /** One of those that `--quick` and `npm test` run. */
  readonly quick?: boolean;
  /** Slows the first job or two down and no more: measured over more than a hundred, or else p99 is the slowest of all. */
  readonly costsFirstJobs?: true;
  /** Does nothing, and is not wrong for that. */
  readonly isIdle?: true;
  /** A count that must stay 0: what a node must not take, however it fares. */
  readonly never?: string;
  /** Gets ready what costs time, while nothing is measured yet; the nodes may not be there. */
  prepare(scene: Scene): Promise<Run>;
}
