import type { Connection } from '@libp2p/interface';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Reading, StopReason } from './reading.ts';

export interface HoldsNeeds {
  readonly reading: Reading;
  readonly clock: Clock;
  connectionsOf(peer: string): readonly Connection[];
}

interface Hold {
  readonly untilMs: number;
  readonly timer: Timer;
}

/**
 * Who is not read, and until when. A peer is held on all of its connections, also on those that it opens meanwhile; a
 * connection can be held for good, until it is ended. What the other side sends waits there.
 */
export class Holds {
  readonly #needs: HoldsNeeds;
  readonly #peers = new Map<string, Hold>();
  readonly #forGood = new Map<Connection, Timer>();
  /** When a connection was last read again. */
  readonly #readSinceMs = new WeakMap<Connection, number>();
  /** Connections whose end lets go of their timers. */
  readonly #watched = new WeakSet<Connection>();

  constructor(needs: HoldsNeeds) {
    this.#needs = needs;
  }

  /** A longer hold takes the place of a shorter one. */
  hold(peer: string, durationMs: number): void {
    const untilMs = this.#needs.clock.monotonicMs() + durationMs;
    const before = this.#peers.get(peer);
    if (before !== undefined && before.untilMs >= untilMs) return;
    const connections = this.#needs.connectionsOf(peer);
    if (connections.length === 0) return;
    before?.timer.cancel();
    for (const connection of connections) this.#stop(connection, 'held');
    this.#peers.set(peer, { untilMs, timer: this.#needs.clock.after(durationMs, () => this.#release(peer)) });
  }

  /** The connection is not read again, and ended after `durationMs`. */
  holdForGood(connection: Connection, durationMs: number): void {
    if (this.#forGood.has(connection)) return;
    this.#stop(connection, 'for good');
    const timer = this.#needs.clock.after(durationMs, () => {
      this.#forGood.delete(connection);
      connection.abort(new Error('let go by this node'));
    });
    this.#forGood.set(connection, timer);
    this.#watch(connection);
  }

  /** A peer that is held gains nothing by one more connection. */
  opened(connection: Connection): void {
    if (this.#peers.has(connection.remotePeer.toString())) this.#stop(connection, 'held');
  }

  isHeld(peer: string): boolean {
    return this.#peers.has(peer);
  }

  isForGood(connection: Connection): boolean {
    return this.#forGood.has(connection);
  }

  /** True when the connection is not read, or was not for a while since then. */
  isUnread(connection: Connection, sinceMs: number): boolean {
    const transport = transportOf(connection);
    if (transport !== undefined && this.#needs.reading.isStopped(transport)) return true;
    return (this.#readSinceMs.get(connection) ?? Number.NEGATIVE_INFINITY) >= sinceMs;
  }

  stop(): void {
    for (const { timer } of this.#peers.values()) timer.cancel();
    for (const timer of this.#forGood.values()) timer.cancel();
    this.#peers.clear();
    this.#forGood.clear();
  }

  #release(peer: string): void {
    this.#peers.delete(peer);
    const nowMs = this.#needs.clock.monotonicMs();
    for (const connection of this.#needs.connectionsOf(peer)) {
      this.#readSinceMs.set(connection, nowMs);
      const transport = transportOf(connection);
      if (transport !== undefined) this.#needs.reading.goOn(transport, 'held');
    }
  }

  #stop(connection: Connection, reason: StopReason): void {
    const transport = transportOf(connection);
    if (transport !== undefined) this.#needs.reading.stop(transport, reason);
  }

  #watch(connection: Connection): void {
    if (this.#watched.has(connection)) return;
    this.#watched.add(connection);
    const over = (): void => {
      this.#forGood.get(connection)?.cancel();
      this.#forGood.delete(connection);
    };
    connection.addEventListener('close', over, { once: true });
  }
}

/** The transport's own connection, below the encryption: the types do not show it. */
export function transportOf(connection: Connection): object | undefined {
  const transport: unknown = Reflect.get(connection, 'maConn');
  return typeof transport === 'object' && transport !== null ? transport : undefined;
}
