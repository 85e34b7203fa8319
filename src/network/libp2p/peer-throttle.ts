import type { Connection } from '@libp2p/interface';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../lib/clock.ts';
import { Spread } from '../../lib/spread.ts';
import { ExpiringSet } from '../expiring-set.ts';
import type { Holds } from './holds.ts';

/** Peers beyond these that answered are strangers again: the one longest ago first. */
const MOST_ANSWERED = 4096;

export interface PeerThrottleLimits {
  readonly holdBackMs: number;
  readonly shunMs: number;
  readonly maxShunnedPeers: number;
}

export interface RestraintNeeds extends PeerThrottleLimits {
  readonly clock: Clock;
  connectionsOf(peer: string): readonly Connection[];
  /** Of a peer that is let go of, for each of its connections. */
  letGo(connection: Connection): void;
}

/**
 * What is done about a neighbour that sends far too much. Dropping a message costs a good part of what taking it does,
 * as it was received, decrypted and decoded by then; not reading it costs nothing. So reading stops for a moment, and
 * meanwhile the other side holds back what it sends. A peer that goes on, and with which nothing is under way, is never
 * read again: it finds out by its own timeouts, and is let in no more until `shunMs` are over. A connection that was
 * ended at once would be dialled again at once, and a handshake costs more than a few messages.
 */
export class PeerThrottle {
  readonly #needs: RestraintNeeds;
  readonly #holds: Holds;
  readonly #answered = new LRUCache<string, true>({ max: MOST_ANSWERED });
  readonly #shunned: ExpiringSet;
  readonly #spread = new Spread();

  constructor(needs: RestraintNeeds, holds: Holds) {
    this.#needs = needs;
    this.#holds = holds;
    this.#shunned = new ExpiringSet(needs.clock, needs.shunMs, needs.maxShunnedPeers);
  }

  /** The peer said something on a channel that this node opened. */
  answered(peer: string): void {
    this.#answered.set(peer, true);
  }

  hasAnswered(peer: string): boolean {
    return this.#answered.has(peer);
  }

  /** True for a peer that is not let in. */
  isShunned(peer: string): boolean {
    return this.#shunned.has(peer);
  }

  restrain(peer: string, goesOn: boolean): void {
    if (goesOn && !this.#answered.has(peer)) this.#letGo(peer);
    // Those that were held back together are not read again together.
    else if (!this.#holds.isHeld(peer)) {
      this.#holds.hold(peer, this.#needs.holdBackMs * (1 + this.#spread.next()));
    }
  }

  #letGo(peer: string): void {
    this.#shunned.add(peer);
    for (const connection of this.#needs.connectionsOf(peer)) {
      if (connection.status !== 'open' || this.#holds.isForGood(connection)) continue;
      this.#needs.letGo(connection);
      this.#holds.holdForGood(connection, this.#needs.shunMs);
    }
  }
}
