import type { Connection, ConnectionProtector, MultiaddrConnection } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import { type Clock, sleep } from '../../lib/clock.ts';
import type { RateLimit } from '../../lib/token-bucket.ts';
import { prefixOf } from './address-scope.ts';
import { HandshakePace } from './handshake-pace.ts';
import { Holds, transportOf } from './holds.ts';
import { PeerThrottle, type PeerThrottleLimits } from './peer-throttle.ts';
import type { Pace } from './paced-muxer.ts';
import { Reading } from './reading.ts';
import { Turns } from './turns.ts';
import { TransportLine } from './transport-line.ts';
import { UnsentBytes, type UnsentLimits } from './unsent-bytes.ts';
import { WorkMeter, type WorkSource } from './work-meter.ts';

/** What a handshake takes on a slow machine. */
const HANDSHAKE_MS = 50;

export interface TrafficNeeds extends PeerThrottleLimits, UnsentLimits {
  readonly clock: Clock;
  readonly handshakesPerPrefix: RateLimit;
  connectionsOf(peer: string): readonly Connection[];
  /** Of a peer that is let go of, for each of its connections. */
  letGo(connection: Connection): void;
  worked(peer: string, workMs: number): void;
  /** Somebody made this node work longer than a handshake does, and has not ended one. */
  workedEarly(address: Multiaddr, workMs: number): void;
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
  readonly unsent: UnsentBytes<TransportLine>;
  readonly #lines = new WeakMap<object, TransportLine>();
  readonly #early = new WeakMap<WorkSource, { readonly line: TransportLine; readonly address: Multiaddr }>();
  readonly #handshakes: HandshakePace;
  readonly #holds: Holds;
  readonly #restraint: PeerThrottle;

  constructor(needs: TrafficNeeds) {
    this.#needs = needs;
    this.#handshakes = new HandshakePace(needs.handshakesPerPrefix);
    this.meter = new WorkMeter(
      needs.clock,
      (source, workMs) => {
        if (source.peer === undefined) this.#workedEarly(source, workMs);
        else needs.worked(source.peer, workMs);
      },
      (workMs) => this.turns.spend(workMs),
    );
    this.unsent = new UnsentBytes<TransportLine>(needs, (sender) => {
      this.faulted(sender.source, 'UNSENT_TOO_MUCH');
    });
    this.#holds = new Holds({ ...needs, reading: this.reading });
    this.#restraint = new PeerThrottle(needs, this.#holds);
  }

  async protect<Stream extends MultiaddrConnection>(connection: Stream): Promise<Stream> {
    const line = new TransportLine(connection, this);
    this.#lines.set(connection, line);
    this.#early.set(line.source, { line, address: connection.remoteAddr });
    if (connection.direction === 'inbound') await this.#turnToShakeHands(connection.remoteAddr);
    return connection;
  }

  async #turnToShakeHands(address: Multiaddr): Promise<void> {
    const { clock } = this.#needs;
    const delayMs = this.#handshakes.delayMs(prefixOf(address), clock.monotonicMs());
    if (delayMs > 0) await sleep(clock, delayMs);
  }

  /** Nobody has said yet who it is: what it makes this node work counts against where it comes from. */
  #workedEarly(source: WorkSource, workMs: number): void {
    const early = this.#early.get(source);
    if (early === undefined) return;
    early.line.earlyMs += workMs;
    const overMs = Math.min(workMs, early.line.earlyMs - HANDSHAKE_MS);
    if (overMs > 0) this.#needs.workedEarly(early.address, overMs);
  }

  lineOf(transport: object): TransportLine | undefined {
    return this.#lines.get(transport);
  }

  faulted({ peer }: WorkSource, code: string): void {
    if (peer !== undefined) this.#needs.faulted(peer, code);
  }

  /** The handshake is over, and said who the other side is. */
  opened(connection: Connection): void {
    const transport = transportOf(connection);
    const line = transport === undefined ? undefined : this.#lines.get(transport);
    line?.opened(connection.remotePeer.toString());
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

  /** Runs it in a later turn, as work that the connection makes. */
  later(connection: Connection, run: () => void): void {
    const transport = transportOf(connection);
    const source = transport === undefined ? undefined : this.lineOf(transport)?.source;
    if (source === undefined) {
      run();
      return;
    }
    this.turns.later(source, () => {
      this.meter.begin(source);
      run();
    });
  }

  isUnread(connection: Connection, sinceMs: number): boolean {
    return this.#holds.isUnread(connection, sinceMs);
  }

  stop(): void {
    this.#holds.stop();
  }
}
