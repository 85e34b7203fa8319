import type { Connection, ConnectionProtector, MultiaddrConnection } from '@libp2p/interface';
import type { Clock } from '../../lib/clock.ts';
import { Holds, transportOf } from './holds.ts';
import { Restraint, type RestraintLimits } from './restraint.ts';
import type { Pace } from './paced-muxer.ts';
import { Reading } from './reading.ts';
import { Turns } from './turns.ts';
import { newSource, WorkMeter, type WorkSource } from './work-meter.ts';
import { batchWrites } from './write-batching.ts';

export interface TrafficNeeds extends RestraintLimits {
  readonly clock: Clock;
  connectionsOf(peer: string): readonly Connection[];
  /** Of a peer that is let go of, for each of its connections. */
  letGo(connection: Connection): void;
  worked(peer: string, workMs: number): void;
  faulted(peer: string, code: string): void;
}

/**
 * What stands between the sockets and the encryption, where a private network's cipher would: it gathers what is
 * written, measures the work that each connection makes, and does not read who is held back.
 */
export class Traffic implements ConnectionProtector, Pace {
  readonly meter: WorkMeter;
  readonly reading = new Reading();
  readonly turns = new Turns();
  readonly #needs: TrafficNeeds;
  readonly #sources = new WeakMap<object, WorkSource>();
  readonly #holds: Holds;
  readonly #restraint: Restraint;

  constructor(needs: TrafficNeeds) {
    this.#needs = needs;
    this.meter = new WorkMeter(
      needs.clock,
      ({ peer }, workMs) => {
        if (peer !== undefined) needs.worked(peer, workMs);
      },
      (workMs) => this.turns.spend(workMs),
    );
    this.#holds = new Holds({ ...needs, reading: this.reading });
    this.#restraint = new Restraint(needs, this.#holds);
  }

  protect<Stream extends MultiaddrConnection>(connection: Stream): Promise<Stream> {
    const source = newSource();
    this.#sources.set(connection, source);
    batchWrites(connection);
    const dispatch = connection.dispatchEvent.bind(connection);
    const take = (event: Event): boolean => {
      this.meter.begin(source);
      return dispatch(event);
    };
    connection.dispatchEvent = (event: Event): boolean => {
      if (event.type !== 'message') return dispatch(event);
      if (this.turns.hasTime) return take(event);
      this.#defer(connection, source, () => take(event));
      return true;
    };
    return Promise.resolve(connection);
  }

  /** The chunk waits for a turn with time left, and nothing is read behind it. */
  #defer(connection: MultiaddrConnection, source: WorkSource, take: () => void): void {
    this.reading.stop(connection, 'turn');
    this.turns.later(source, () => {
      if (connection.status === 'open') take();
      this.reading.goOn(connection, 'turn');
    });
  }

  sourceOf(transport: object): WorkSource | undefined {
    return this.#sources.get(transport);
  }

  faulted({ peer }: WorkSource, code: string): void {
    if (peer !== undefined) this.#needs.faulted(peer, code);
  }

  /** The handshake is over, and said who the other side is. */
  opened(connection: Connection): void {
    const transport = transportOf(connection);
    const source = transport === undefined ? undefined : this.#sources.get(transport);
    if (source !== undefined) source.peer = connection.remotePeer.toString();
    this.#holds.opened(connection);
  }

  /** The peer said something on a channel that this node opened. */
  answered(peer: string): void {
    this.#restraint.answered(peer);
  }

  hasAnswered(peer: string): boolean {
    return this.#restraint.hasAnswered(peer);
  }

  /** True for a peer that is not let in. */
  isShunned(peer: string): boolean {
    return this.#restraint.isShunned(peer);
  }

  restrain(peer: string, goesOn: boolean): void {
    this.#restraint.restrain(peer, goesOn);
  }

  holdBack(peer: string, durationMs: number): void {
    this.#holds.hold(peer, durationMs);
  }

  isUnread(connection: Connection, sinceMs: number): boolean {
    return this.#holds.isUnread(connection, sinceMs);
  }

  stop(): void {
    this.#holds.stop();
  }
}
