import {
  behaviourScore,
  GOOD_BEHAVIOUR,
  isForgotten,
  type PeerBehaviour,
  type PeerStrikes,
  pointsAt,
  type StrikeKind,
  withGoodTurn,
  withStrike,
} from './strikes.ts';

/** Bounds of one history of strikes; listed in specs/limits.md. */
export interface StrikeLimits {
  /** Half of what a strike weighs is gone after this. */
  readonly halfLifeMs: number;
  /** Peers that are remembered: the one struck longest ago makes room. */
  readonly maxPeers: number;
  /** How long a change may wait to be written. */
  readonly writeDelayMs: number;
}

export const defaultStrikeLimits: StrikeLimits = {
  halfLifeMs: 6 * 3_600_000,
  maxPeers: 10_000,
  writeDelayMs: 2000,
};

export interface StrikeChange {
  readonly kept: readonly PeerStrikes[];
  readonly forgotten: readonly string[];
}

/** Who has behaved badly towards this node, in one role. Pure: it is told the time, and tells which records changed. */
export class StrikeHistory {
  readonly #limits: Pick<StrikeLimits, 'halfLifeMs' | 'maxPeers'>;
  readonly #onChanged: (peer: string) => void;
  /** The peer struck longest ago first. */
  readonly #byPeer = new Map<string, PeerStrikes>();

  constructor(limits: Pick<StrikeLimits, 'halfLifeMs' | 'maxPeers'>, onChanged: (peer: string) => void) {
    this.#limits = limits;
    this.#onChanged = onChanged;
  }

  get size(): number {
    return this.#byPeer.size;
  }

  /** What is to be stored of these peers, and of whom nothing is. */
  changeOf(peers: readonly string[]): StrikeChange {
    const kept = peers.flatMap((peer) => this.#byPeer.get(peer) ?? []);
    return { kept, forgotten: peers.filter((peer) => !this.#byPeer.has(peer)) };
  }

  /** Takes in what was stored. Whatever is beyond the bound or too old to count is let go. */
  restore(stored: readonly PeerStrikes[], now: number): void {
    const { halfLifeMs } = this.#limits;
    for (const record of stored.toSorted((a, b) => a.at - b.at)) {
      // A clock that ran ahead must not hold a peer's strikes up for as long.
      const strikes = { ...record, at: Math.min(record.at, now) };
      if (isForgotten(strikes, now, halfLifeMs)) this.#onChanged(strikes.peer);
      else this.#put(strikes);
    }
  }

  strike(peer: string, kind: StrikeKind, now: number): void {
    this.#put(withStrike(this.#byPeer.get(peer), peer, kind, now, this.#limits.halfLifeMs));
    this.#onChanged(peer);
  }

  /** A contract that was kept works strikes off; it earns nothing beyond that. */
  good(peer: string, now: number): void {
    const before = this.#byPeer.get(peer);
    if (before === undefined) return;
    const after = withGoodTurn(before, now, this.#limits.halfLifeMs);
    if (after === undefined) this.#byPeer.delete(peer);
    else this.#byPeer.set(peer, after);
    this.#onChanged(peer);
  }

  behaviourOf(peer: string, now: number): PeerBehaviour {
    const { halfLifeMs } = this.#limits;
    const strikes = this.#byPeer.get(peer);
    if (strikes === undefined || isForgotten(strikes, now, halfLifeMs)) return GOOD_BEHAVIOUR;
    return { score: behaviourScore(pointsAt(strikes, now, halfLifeMs)), strikes: strikes.tallies };
  }

  #put(strikes: PeerStrikes): void {
    this.#byPeer.delete(strikes.peer);
    this.#byPeer.set(strikes.peer, strikes);
    for (const oldest of this.#byPeer.keys()) {
      if (this.#byPeer.size <= this.#limits.maxPeers) return;
      this.#byPeer.delete(oldest);
      this.#onChanged(oldest);
    }
  }
}
