import type { Connection } from '@libp2p/interface';
import { LRUCache } from 'lru-cache';
import type { Clock, Timer } from '../../lib/clock.ts';
import { ExpiringSet } from '../expiring-set.ts';

/** Peers beyond these that answered are strangers again: the one longest ago first. */
const MOST_ANSWERED = 4096;

export interface RestraintNeeds {
  readonly holdBackMs: number;
  readonly shunMs: number;
  readonly maxShunnedPeers: number;
  readonly clock: Clock;
  connectionsOf(peer: string): readonly Connection[];
}

/**
 * What is done about a neighbour that sends far too much. Dropping a message costs a good part of what taking it does,
 * as it was received, decrypted and decoded by then; not reading it costs nothing. So reading stops. A peer with which
 * something is going on is read again after a moment, and meanwhile its own side holds back what it sends. Any other is
 * never read again: it finds out by its own timeouts, and is let in no more until `shunMs` are over. A connection that
 * was ended at once would be dialled again at once, and a handshake costs more than a few messages.
 */
export class Restraint {
  readonly #needs: RestraintNeeds;
  readonly #answered = new LRUCache<string, true>({ max: MOST_ANSWERED });
  readonly #shunned: ExpiringSet;
  readonly #held = new Map<Connection, Timer>();

  constructor(needs: RestraintNeeds) {
    this.#needs = needs;
    this.#shunned = new ExpiringSet(needs.clock, needs.shunMs, needs.maxShunnedPeers);
  }

  /** The peer said something on a channel that this node opened. */
  answered(peer: string): void {
    this.#answered.set(peer, true);
  }

  /** True for a peer that is not let in. */
  isShunned(peer: string): boolean {
    return this.#shunned.has(peer);
  }

  restrain(peer: string): void {
    const { clock, holdBackMs, shunMs } = this.#needs;
    const goesOn = this.#answered.has(peer);
    if (!goesOn) this.#shunned.add(peer);
    for (const connection of this.#needs.connectionsOf(peer)) {
      if (this.#held.has(connection) || !setReading(connection, false)) continue;
      const timer = clock.after(goesOn ? holdBackMs : shunMs, () => {
        this.#held.delete(connection);
        if (goesOn) setReading(connection, true);
        else connection.abort(new Error('let go by this node'));
      });
      this.#held.set(connection, timer);
      connection.addEventListener(
        'close',
        () => {
          timer.cancel();
          this.#held.delete(connection);
        },
        { once: true },
      );
    }
  }

  stop(): void {
    for (const timer of this.#held.values()) timer.cancel();
    this.#held.clear();
  }
}

/** The transport's own connection, below the encryption: the types do not show it. False when it is over. */
function setReading(connection: Connection, reads: boolean): boolean {
  const transport: unknown = Reflect.get(connection, 'maConn');
  if (typeof transport !== 'object' || transport === null || connection.status !== 'open') return false;
  const change: unknown = Reflect.get(transport, reads ? 'resume' : 'pause');
  if (typeof change !== 'function') return false;
  try {
    Reflect.apply(change, transport, []);
    return true;
  } catch {
    return false;
  }
}
