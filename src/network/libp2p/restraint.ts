import type { Connection } from '@libp2p/interface';
import { LRUCache } from 'lru-cache';
import type { Clock, Timer } from '../../lib/clock.ts';
import { Spread } from '../../lib/spread.ts';
import { ExpiringSet } from '../expiring-set.ts';

/** Peers beyond these that answered are strangers again: the one longest ago first. */
const MOST_ANSWERED = 4096;

export interface RestraintNeeds {
  readonly holdBackMs: number;
  readonly shunMs: number;
  readonly maxShunnedPeers: number;
  readonly clock: Clock;
  connectionsOf(peer: string): readonly Connection[];
  /** Of a peer that is let go of, for each of its connections. */
  letGo(connection: Connection): void;
}

interface Hold {
  readonly kind: 'back' | 'for good';
  readonly timer: Timer;
}

/**
 * What is done about a neighbour that sends far too much. Dropping a message costs a good part of what taking it does,
 * as it was received, decrypted and decoded by then; not reading it costs nothing. So reading stops for a moment, and
 * meanwhile the other side holds back what it sends. A peer that goes on, and with which nothing is under way, is never
 * read again: it finds out by its own timeouts, and is let in no more until `shunMs` are over. A connection that was
 * ended at once would be dialled again at once, and a handshake costs more than a few messages.
 */
export class Restraint {
  readonly #needs: RestraintNeeds;
  readonly #answered = new LRUCache<string, true>({ max: MOST_ANSWERED });
  readonly #shunned: ExpiringSet;
  readonly #spread = new Spread();
  readonly #held = new Map<Connection, Hold>();
  /** Connections whose end lets go of their timers. */
  readonly #watched = new WeakSet<Connection>();

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

  /** True while the connection is not read. */
  isHeld(connection: Connection): boolean {
    return this.#held.has(connection);
  }

  restrain(peer: string, goesOn: boolean): void {
    const letsGo = goesOn && !this.#answered.has(peer);
    if (letsGo) this.#shunned.add(peer);
    for (const connection of this.#needs.connectionsOf(peer)) {
      if (letsGo) this.#letGo(connection);
      else this.#holdBack(connection);
    }
  }

  #holdBack(connection: Connection): void {
    if (this.#held.has(connection) || !setReading(connection, false)) return;
    const { holdBackMs } = this.#needs;
    // Those that were held back together are not read again together.
    const durationMs = holdBackMs * (1 + this.#spread.next());
    this.#hold(connection, 'back', durationMs, () => setReading(connection, true));
  }

  #letGo(connection: Connection): void {
    const hold = this.#held.get(connection);
    if (hold?.kind === 'for good' || (hold === undefined && !setReading(connection, false))) return;
    hold?.timer.cancel();
    this.#needs.letGo(connection);
    this.#hold(connection, 'for good', this.#needs.shunMs, () => {
      connection.abort(new Error('let go by this node'));
    });
  }

  #hold(connection: Connection, kind: Hold['kind'], durationMs: number, over: () => void): void {
    const timer = this.#needs.clock.after(durationMs, () => {
      this.#held.delete(connection);
      over();
    });
    this.#held.set(connection, { kind, timer });
    this.#watch(connection);
  }

  #watch(connection: Connection): void {
    if (this.#watched.has(connection)) return;
    this.#watched.add(connection);
    const over = (): void => {
      this.#held.get(connection)?.timer.cancel();
      this.#held.delete(connection);
    };
    connection.addEventListener('close', over, { once: true });
  }

  stop(): void {
    for (const { timer } of this.#held.values()) timer.cancel();
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
