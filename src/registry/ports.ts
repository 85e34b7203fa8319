import type { Advert } from '../domain/market/advert.ts';
import type { Evidence } from '../domain/market/evidence.ts';
import type { Touch } from './seen-providers.ts';

// ---- what the registry needs from the store --------------------------------------------------------

/** An advert as it is kept. */
export interface StoredAdvert {
  readonly evidence: Evidence<Advert>;
  /** Lived time. */
  readonly receivedAt: number;
  /** Lived time: when it was heard for the first time. Left out by those who wrote none. */
  readonly knownSince?: number;
  /** How this node knew the provider, other than by its adverts: {@link TOUCH}. */
  readonly touch?: Touch;
}

/** Adverts of others over restarts, one for each signer. What is lost here comes again from the network. */
export interface AdvertStore {
  /** At most `limit` of them. */
  load(limit: number): Promise<readonly StoredAdvert[]>;
  write(change: {
    readonly kept: readonly StoredAdvert[];
    readonly forgotten: readonly string[];
  }): Promise<void>;
  /** Writes down how long this node has lived: no later life begins before this moment. */
  keepTime(): Promise<void>;
}

// ---- what the registry needs from the network ------------------------------------------------------

export interface AdvertPublisher {
  /** Signed record of how to reach this node. */
  peerRecord(): Uint8Array;
  /** Hands the advert to gossip; with nobody there it is dropped. Throws `ADVERT_INVALID` for what nobody would take. */
  publish(advert: Evidence<Advert>): void;
  /** Connected nodes that hear adverts. */
  audienceSize(): number;
  /** Connected nodes that provide. */
  connectedProviders(): number;
  isConnected(peer: string): boolean;
  /** Tries to connect to a provider by its signed record; false when it cannot be reached. Never rejects. */
  meet(peer: string, providerRecord: Uint8Array): Promise<boolean>;
}

// ---- what the network may ask the registry ---------------------------------------------------------

export interface AdvertHandler {
  /**
   * An advert with a good signature. `ignore`: old, too soon after the last one, or one's own; it goes no further.
   * `reject`: what no honest node says.
   */
  take(advert: Evidence<Advert>): 'accept' | 'ignore' | 'reject';
  /** Whether an advert of this signer would be the first: adverts of those who are known have a share of their own. */
  isNews?(signer: string): boolean;
  /** Nodes that hear adverts came or went. */
  audienceChanged(): void;
  peerDisconnected(peer: string): void;
}
