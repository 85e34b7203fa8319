import type { Advert } from '../domain/market/advert.ts';
import type { AdvertisedProvider } from '../domain/market/advert-matching.ts';
import type { Evidence } from '../domain/market/evidence.ts';

/** A provider that can be asked. */
export interface AskableProvider extends AdvertisedProvider {
  readonly providerRecord: Uint8Array;
  /** In [0, 1): of the peer id, with a salt that only this node knows. */
  readonly hash: number;
}

/** A provider in the table. */
export interface PeerRow extends AskableProvider {
  readonly advert: Advert;
  readonly evidence: Evidence<Advert>;
  /** Lived times. */
  readonly receivedAt: number;
  readonly knownSince: number;
  readonly expiresAt: number;
  /** On the monotonic clock. */
  readonly deadlineMs: number;
}

/** What putting a row did: the peer that is not in the table (any more) because it was full. */
export interface PutOutcome {
  readonly displaced?: string;
}

/**
 * The newest advert of each provider. A full table keeps the peers that `isKept` names, and of the others those with
 * the smallest hashes: a uniform sample of the network that stays the same while its members live, and that nobody
 * can get into by choice.
 */
export class PeerTable {
  readonly #maxPeers: number;
  readonly #isKept: (peer: string) => boolean;
  /** In order of receipt, the oldest first. */
  readonly #rows = new Map<string, PeerRow>();
  /** While the table is full, hashes from here on have no chance: they need not be looked at again. */
  #bar = 1;

  constructor(maxPeers: number, isKept: (peer: string) => boolean) {
    this.#maxPeers = maxPeers;
    this.#isKept = isKept;
  }

  get size(): number {
    return this.#rows.size;
  }

  get(peer: string): PeerRow | undefined {
    return this.#rows.get(peer);
  }

  /** The freshest first. */
  rows(): readonly PeerRow[] {
    return [...this.#rows.values()].reverse();
  }

  put(row: PeerRow): PutOutcome {
    const isNew = !this.#rows.delete(row.peer);
    if (isNew && this.#rows.size >= this.#maxPeers && row.hash >= this.#bar && !this.#isKept(row.peer)) {
      return { displaced: row.peer };
    }
    this.#rows.set(row.peer, row);
    if (this.#rows.size <= this.#maxPeers) return {};
    const displaced = this.#leastWanted() ?? row;
    this.#rows.delete(displaced.peer);
    this.#bar = displaced.hash;
    return { displaced: displaced.peer };
  }

  delete(peer: string): boolean {
    const deleted = this.#rows.delete(peer);
    if (deleted) this.#bar = 1;
    return deleted;
  }

  /** Removes what is believed no longer, and tells whom. */
  expire(nowMs: number): readonly string[] {
    const expired = [...this.#rows.values()].filter((row) => row.deadlineMs <= nowMs);
    for (const { peer } of expired) this.delete(peer);
    return expired.map(({ peer }) => peer);
  }

  #leastWanted(): PeerRow | undefined {
    let least: PeerRow | undefined;
    for (const row of this.#rows.values()) {
      // The hash first: asking about a peer costs more.
      if ((least === undefined || row.hash > least.hash) && !this.#isKept(row.peer)) least = row;
    }
    return least;
  }
}
