import type { Socket } from 'node:net';
import { freeAtOnce } from './free-at-once.ts';

/** Of requests in one piece: up to 28 of them. */
const PIECE_BYTES = 1024;
/** Of one body in one piece. */
const BODY_PIECE_BYTES = 16 * 1024;
const HEADERS_END = '\r\n\r\n';

/** What the one who made the feed knows of its connection. */
export interface FedConnection {
  /** Whether more of it may be parsed now. */
  mayGoOn(): boolean;
  /** Whether as much of a body waits to be read as may. */
  isFull(): boolean;
  /** How many of the next bytes can only be those of a body; 0 is between two requests. */
  bodyBytes(): number;
  /** A piece has been parsed. */
  parsed(): void;
}

/**
 * Gives the HTTP parser of one connection its bytes in small pieces, and none while requests wait. The parser makes a
 * request of everything it is given, and one costs it a few kilobytes and microseconds: 64 KB that are read at once are
 * 1 800 of them. A piece ends with the headers of a request, so that hardly ever more than one waits. A connection that
 * has to wait holds what was read at once, and what has been parsed is given back before the garbage collector comes by.
 */
export class ConnectionFeed {
  readonly #socket: Socket;
  readonly #connection: FedConnection;
  readonly #parse: (bytes: Buffer) => void;
  /**
   * Nobody reads it. A socket that is paused asks the system for 64 KB more until it holds as much as it may; with
   * this it does so already.
   */
  readonly #plug: Buffer;
  #read: Buffer | undefined;
  #rest: Buffer | undefined;
  #plugged = false;
  #feeding = false;
  #stopped = false;

  /** To be made when the server has taken the connection: its listener for data is the parser. */
  constructor(socket: Socket, connection: FedConnection) {
    this.#socket = socket;
    this.#connection = connection;
    this.#plug = plugOf(socket.readableHighWaterMark);
    const listeners = socket.listeners('data');
    this.#parse = (bytes) => {
      for (const listener of listeners) Reflect.apply(listener, socket, [bytes]);
    };
    socket.removeAllListeners('data');
    socket.on('data', (bytes: Buffer) => this.#took(bytes));
    socket.on('resume', () => {
      if (this.#stopped) this.#wait();
      if (this.#rest === undefined) return;
      // A pause that came before this event has lost its effect, and another one would have none: the event comes again.
      if (socket.isPaused()) socket.resume();
      else this.go();
    });
    socket.once('close', () => this.#drop());
  }

  /** Nothing is read any more: the connection is about to be closed. What it has read is let go of. */
  stop(): void {
    this.#stopped = true;
    this.#wait();
    // The parser may still be at it.
    if (!this.#feeding) this.#drop();
  }

  /** Goes on as far as it may. What is left stays, and the connection is not read on. */
  go(): void {
    if (this.#feeding || this.#stopped) return;
    this.#feeding = true;
    while (this.#rest !== undefined && !this.#isOver() && this.#connection.mayGoOn()) {
      const piece = this.#next(this.#rest);
      this.#rest = this.#rest.length > piece.length ? this.#rest.subarray(piece.length) : undefined;
      this.#parse(piece);
      this.#connection.parsed();
    }
    this.#feeding = false;
    if (this.#rest === undefined || this.#isOver()) this.#drop();
    const isPaused = this.#socket.isPaused();
    if (this.#rest !== undefined && !isPaused) this.#wait();
    // Where a body waits to be read, the parser has paused; whoever reads it has the connection read on.
    if (this.#rest === undefined && isPaused && !this.#stopped && !this.#connection.isFull()) {
      this.#socket.resume();
    }
  }

  #took(bytes: Buffer): void {
    if (bytes.buffer === this.#plug.buffer) {
      this.#plugged = false;
      if (this.#stopped) this.#wait();
      return;
    }
    if (this.#stopped) {
      freeAtOnce(bytes);
      return;
    }
    this.#read = this.#rest === undefined ? bytes : this.#joined(this.#rest, bytes);
    this.#rest = this.#read;
    this.go();
  }

  #joined(rest: Buffer, bytes: Buffer): Buffer {
    const joined = Buffer.concat([rest, bytes]);
    this.#drop();
    freeAtOnce(bytes);
    return joined;
  }

  #isOver(): boolean {
    return this.#stopped || this.#socket.destroyed;
  }

  /** Reads nothing before it is resumed. */
  #wait(): void {
    this.#socket.pause();
    if (this.#plugged || this.#socket.destroyed || this.#socket.readableEnded) return;
    this.#plugged = true;
    this.#socket.unshift(this.#plug);
  }

  #drop(): void {
    if (this.#read !== undefined) freeAtOnce(this.#read);
    this.#read = undefined;
    this.#rest = undefined;
  }

  #next(rest: Buffer): Buffer {
    const bodyBytes = this.#connection.bodyBytes();
    if (bodyBytes > 0) return rest.subarray(0, Math.min(bodyBytes, BODY_PIECE_BYTES));
    const piece = rest.subarray(0, PIECE_BYTES);
    const end = piece.indexOf(HEADERS_END);
    return end < 0 ? piece : piece.subarray(0, end + HEADERS_END.length);
  }
}

const plugs = new Map<number, Buffer>();

/** One for all connections. */
function plugOf(bytes: number): Buffer {
  const plug = plugs.get(bytes) ?? Buffer.from(new ArrayBuffer(bytes));
  plugs.set(bytes, plug);
  return plug;
}
