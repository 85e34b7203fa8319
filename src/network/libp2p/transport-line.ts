import type { MessageStream, MultiaddrConnection } from '@libp2p/interface';
import { afterThisEvent } from '../../lib/clock.ts';
import { EarlyBytes } from './early-bytes.ts';
import type { PacedLine } from './paced-muxer.ts';
import type { Reading } from './reading.ts';
import type { Turns } from './turns.ts';
import type { Sender, UnsentBytes } from './unsent-bytes.ts';
import { newSource, type WorkMeter } from './work-meter.ts';
import { batchWrites } from './write-batching.ts';

export interface LineNeeds {
  readonly meter: WorkMeter;
  readonly reading: Reading;
  readonly turns: Turns;
  readonly unsent: UnsentBytes<TransportLine>;
}

interface Chunk {
  subarray(): Uint8Array;
}

/** One connection between its socket and its encryption. */
export class TransportLine implements Sender, PacedLine {
  readonly source = newSource();
  /** What it made this node work before it said who it is. */
  earlyMs = 0;
  readonly #connection: MultiaddrConnection;
  readonly #needs: LineNeeds;
  readonly #waiting = new EarlyBytes();
  #isGoingOn = false;
  #encrypted: MessageStream | undefined;
  #take: (bytes: Uint8Array) => void = () => {};

  constructor(connection: MultiaddrConnection, needs: LineNeeds) {
    this.#connection = connection;
    this.#needs = needs;
    this.#measure();
    this.#intercept();
    const sent = (): void => this.sent();
    batchWrites(connection, sent);
    for (const event of ['drain', 'idle', 'close'] as const) connection.addEventListener(event, sent);
  }

  /** What waits to be encrypted, or to be taken by the system. */
  get unsentBytes(): number {
    const { status } = this.#connection;
    if (status !== 'open' && status !== 'closing') return 0;
    return held(this.#encrypted) + held(this.#connection);
  }

  carries(encrypted: MessageStream): void {
    this.#encrypted = encrypted;
  }

  sent(): void {
    this.#needs.unsent.changed(this);
  }

  abort(error: Error): void {
    this.#connection.abort(error);
  }

  /** The handshake is over. */
  opened(peer: string): void {
    this.source.peer = peer;
    this.#waiting.over();
    if (this.#waiting.hasRest) afterThisEvent(() => this.#goOn());
  }

  #measure(): void {
    const dispatch = this.#connection.dispatchEvent.bind(this.#connection);
    this.#connection.dispatchEvent = (event: Event): boolean => {
      if (event.type === 'message') this.#needs.meter.begin(this.source);
      return dispatch(event);
    };
  }

  /** Where a version of the library differs, chunks pass as they come. */
  #intercept(): void {
    const take: unknown = Reflect.get(this.#connection, 'onData');
    if (typeof take !== 'function') return;
    this.#take = (bytes) => {
      Reflect.apply(take, this.#connection, [bytes]);
    };
    Reflect.set(this.#connection, 'onData', (bytes: Chunk) => this.#arrived(bytes.subarray()));
  }

  #arrived(bytes: Uint8Array): void {
    if (this.#waiting.isDone && this.#needs.turns.hasTime) {
      this.#take(bytes);
    } else {
      this.#waiting.append(bytes);
      this.#goOn();
    }
  }

  /** A piece of what waits, in a turn with time left; the next one when all is done that followed from it. */
  #goOn(): void {
    const { reading, turns } = this.#needs;
    if (this.#isGoingOn || this.#connection.status !== 'open') return;
    const piece = turns.hasTime ? this.#waiting.next() : undefined;
    if (piece !== undefined) this.#take(piece);
    if (!this.#waiting.hasRest) {
      reading.goOn(this.#connection, 'turn');
      return;
    }
    reading.stop(this.#connection, 'turn');
    if (this.#waiting.isStuck) return;
    this.#isGoingOn = true;
    const next = (): void => {
      this.#isGoingOn = false;
      this.#goOn();
    };
    if (turns.hasTime) afterThisEvent(next);
    else turns.later(this.source, next);
  }
}

/** A small answer takes far more memory than its bytes. */
const ENTRY_BYTES = 160;

function held(stream: MessageStream | undefined): number {
  if (stream === undefined || stream.writeBufferLength === 0) return 0;
  const buffer: unknown = Reflect.get(stream, 'writeBuffer');
  const entries: unknown = typeof buffer === 'object' && buffer !== null ? Reflect.get(buffer, 'bufs') : [];
  return stream.writeBufferLength + (Array.isArray(entries) ? entries.length * ENTRY_BYTES : 0);
}
