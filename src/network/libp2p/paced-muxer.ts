import type { MessageStream, Stream, StreamMuxer } from '@libp2p/interface';
import { afterThisEvent } from '../../lib/clock.ts';
import { CodedError, codeOf, messageOf } from '../../lib/coded-error.ts';
import { type MuxFrame, MuxReader, type MuxStream } from './mux-reader.ts';
import type { Reading } from './reading.ts';
import type { Turns } from './turns.ts';
import type { WorkMeter, WorkSource } from './work-meter.ts';

/** A connection below its encryption. */
export interface PacedLine {
  readonly source: WorkSource;
  /** What is written to it comes from there. */
  carries(encrypted: MessageStream): void;
  /** There may be more to send than before. */
  sent(): void;
}

/** What paces the work of all connections. */
export interface Pace {
  readonly meter: WorkMeter;
  readonly reading: Reading;
  readonly turns: Turns;
  /** Undefined for a connection that is not measured. */
  lineOf(transport: object): PacedLine | undefined;
  faulted(source: WorkSource, code: string): void;
}

/** The members of yamux that the types do not show. */
interface Multiplexer extends StreamMuxer {
  onData(bytes: Chunk): void;
  handleFrame(frame: MuxFrame): void;
  readonly streams: (Stream & MuxStream & { readonly streamId: number })[];
}

interface Chunk {
  subarray(): Uint8Array;
}

/** Lets a multiplexer work off what arrives in pieces. Where a version of the library differs it is left as it is. */
export function paceMuxer(
  muxer: StreamMuxer,
  connection: MessageStream,
  maxWindowBytes: number,
  pace: Pace,
): void {
  const transport: unknown = Reflect.get(connection, 'stream');
  if (typeof transport !== 'object' || transport === null || !isMultiplexer(muxer)) return;
  const below = pace.lineOf(transport);
  if (below === undefined) return;
  below.carries(connection);
  const line = new Line(muxer, connection, transport, below, maxWindowBytes, pace);
  Reflect.set(muxer, 'onData', (bytes: Chunk) => line.arrived(bytes.subarray()));
}

function isMultiplexer(muxer: StreamMuxer): muxer is Multiplexer {
  return (
    typeof Reflect.get(muxer, 'onData') === 'function' &&
    typeof Reflect.get(muxer, 'handleFrame') === 'function'
  );
}

/** One connection: what arrived on it and is not worked off keeps it from being read. */
class Line {
  readonly #muxer: Multiplexer;
  readonly #connection: MessageStream;
  readonly #transport: object;
  readonly #below: PacedLine;
  readonly #pace: Pace;
  readonly #reader: MuxReader;
  #isBehind = false;

  constructor(
    muxer: Multiplexer,
    connection: MessageStream,
    transport: object,
    below: PacedLine,
    maxWindowBytes: number,
    pace: Pace,
  ) {
    this.#muxer = muxer;
    this.#connection = connection;
    this.#transport = transport;
    this.#below = below;
    this.#pace = pace;
    this.#reader = new MuxReader({
      maxWindowBytes,
      stream: (id) => muxer.streams.find(({ streamId }) => streamId === id),
      handle: (frame) => muxer.handleFrame(frame),
      faulted: (code) => pace.faulted(below.source, code),
    });
  }

  arrived(bytes: Uint8Array): void {
    if (this.#isBehind) this.#reader.postpone(bytes);
    else this.#step(bytes);
  }

  #step(bytes?: Uint8Array): void {
    const { reading } = this.#pace;
    let isMore: boolean;
    try {
      isMore = this.#reader.read(bytes);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#below.sent();
    if (isMore) {
      this.#isBehind = true;
      reading.stop(this.#transport, 'behind');
      afterThisEvent(() => this.#next());
    } else if (this.#isBehind) {
      this.#isBehind = false;
      reading.goOn(this.#transport, 'behind');
    }
  }

  #next(): void {
    const { reading, turns } = this.#pace;
    if (this.#muxer.status !== 'open') return;
    if (reading.isHeld(this.#transport)) reading.whenFree(this.#transport, () => this.#next());
    else if (turns.hasTime) this.#work();
    else turns.later(this.#below.source, () => this.#work());
  }

  #work(): void {
    if (this.#muxer.status !== 'open') return;
    if (this.#pace.reading.isHeld(this.#transport)) {
      this.#next();
      return;
    }
    this.#pace.meter.begin(this.#below.source);
    this.#step();
  }

  #fail(cause: unknown): void {
    const code = cause instanceof CodedError ? (codeOf(cause) ?? 'MUX_MALFORMED') : 'MUX_MALFORMED';
    this.#pace.faulted(this.#below.source, code);
    const error = cause instanceof Error ? cause : new Error(messageOf(cause));
    this.#muxer.abort(error);
    this.#connection.abort(error);
  }
}
