import type {
  ComponentLogger,
  Connection,
  Libp2pEvents,
  Startable,
  TypedEventTarget,
} from '@libp2p/interface';
import { PING_PROTOCOL } from '@libp2p/ping';
import type { Clock, Timer } from '../../lib/clock.ts';
import { messageOf } from '../../lib/coded-error.ts';
import { Spread } from '../../lib/spread.ts';

/** Kept above what a busy machine takes to answer, as a late answer ends the connection. */
const PING_TIMEOUT_MS = 10_000;
const PING_EVERY_MS = 10_000;
const PING_BYTES = new Uint8Array(32).fill(1);

export interface KeepAliveNeeds {
  readonly clock: Clock;
  /** True when this node does not read the connection, or did not since then: no answer can come, and silence says nothing. */
  isUnread(connection: Connection, sinceMs: number): boolean;
}

interface Components {
  readonly events: TypedEventTarget<Libp2pEvents>;
  readonly logger: ComponentLogger;
}

/**
 * Pings every connection, measures its round trip and ends it when no answer comes. libp2p's own monitor pings all of
 * them at once, which for hundreds of connections is a standstill every ten seconds; here each has a time of its own.
 */
export class KeepAlive implements Startable {
  readonly #needs: KeepAliveNeeds;
  readonly #components: Components;
  readonly #timers = new Map<Connection, Timer>();
  readonly #opened = ({ detail }: CustomEvent<Connection>): void => this.#welcome(detail);
  readonly #closed = ({ detail }: CustomEvent<Connection>): void => this.#forget(detail);
  readonly #spread = new Spread();

  constructor(components: Components, needs: KeepAliveNeeds) {
    this.#components = components;
    this.#needs = needs;
  }

  start(): void {
    const { events } = this.#components;
    events.addEventListener('connection:open', this.#opened);
    events.addEventListener('connection:close', this.#closed);
  }

  stop(): void {
    const { events } = this.#components;
    events.removeEventListener('connection:open', this.#opened);
    events.removeEventListener('connection:close', this.#closed);
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  /** Connections that opened together are spread over the whole interval. */
  #welcome(connection: Connection): void {
    this.#arm(connection, this.#spread.next() * PING_EVERY_MS);
  }

  #forget(connection: Connection): void {
    this.#timers.get(connection)?.cancel();
    this.#timers.delete(connection);
  }

  #arm(connection: Connection, delayMs: number): void {
    const timer = this.#needs.clock.after(delayMs, () => void this.#check(connection));
    this.#timers.set(connection, timer);
  }

  async #check(connection: Connection): Promise<void> {
    const askedMs = this.#needs.clock.monotonicMs();
    if (!this.#needs.isUnread(connection, askedMs)) {
      try {
        connection.rtt = await roundTripMs(connection, this.#needs.clock);
      } catch (error) {
        // Whoever refuses the protocol has answered.
        if (!isUnsupported(error) && !this.#needs.isUnread(connection, askedMs)) {
          const log = this.#components.logger.forComponent('bidmesh:keep-alive');
          log('%p does not answer: %s', connection.remotePeer, messageOf(error));
          this.#forget(connection);
          connection.abort(error instanceof Error ? error : new Error(messageOf(error)));
          return;
        }
      }
    }
    if (this.#timers.has(connection)) this.#arm(connection, PING_EVERY_MS);
  }
}

async function roundTripMs(connection: Connection, clock: Clock): Promise<number> {
  const timeout = new AbortController();
  const timer = clock.after(PING_TIMEOUT_MS, () => timeout.abort(new Error('no answer to a ping')));
  // Our end of the last one is closed, and libp2p allows one such stream: a peer may not have closed its own.
  for (const last of connection.streams) {
    if (last.protocol === PING_PROTOCOL && last.direction === 'outbound') last.abort(new Error('left open'));
  }
  try {
    const stream = await connection.newStream(PING_PROTOCOL, { signal: timeout.signal });
    timeout.signal.throwIfAborted();
    const giveUp = (): void => stream.abort(new Error('no answer to a ping'));
    timeout.signal.addEventListener('abort', giveUp, { once: true });
    const startedMs = clock.monotonicMs();
    stream.send(PING_BYTES);
    let received = 0;
    for await (const chunk of stream) {
      received += chunk.byteLength;
      if (received < PING_BYTES.byteLength) continue;
      const tookMs = clock.monotonicMs() - startedMs;
      // The answer is here: a peer that leaves the stream open costs the stream, and not the connection.
      await stream.close({ signal: timeout.signal }).catch(() => giveUp());
      return tookMs;
    }
    throw new Error('the answer to a ping is cut off');
  } finally {
    timer.cancel();
  }
}

function isUnsupported(error: unknown): boolean {
  return error instanceof Error && error.name === 'UnsupportedProtocolError';
}
