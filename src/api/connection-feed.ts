import type { Socket } from 'node:net';

/** Of a body it may hold the end, and up to 28 requests behind it. */
const PIECE_BYTES = 1024;
const HEADERS_END = '\r\n\r\n';

/**
 * Gives the HTTP parser of one connection its bytes in small pieces, and none while requests wait. The parser makes a
 * request of everything it is given, and one costs it a few kilobytes and microseconds: 64 KB that are read at once are
 * 1 800 of them. A piece ends with the headers of a request, so that hardly ever more than one waits.
 */
export class ConnectionFeed {
  readonly #socket: Socket;
  readonly #parse: (bytes: Buffer) => void;
  readonly #mayGoOn: () => boolean;
  /** Whether a body waits to be read. */
  readonly #isFull: () => boolean;
  /** Whether the next bytes are those of a request and not of a body. */
  readonly #isBetween: () => boolean;
  readonly #parsed: () => void;
  #rest: Buffer | undefined;
  #feeding = false;
  #stopped = false;

  /** To be made when the server has taken the connection: its listener for data is the parser. */
  constructor(
    socket: Socket,
    mayGoOn: () => boolean,
    isFull: () => boolean,
    isBetween: () => boolean,
    parsed: () => void,
  ) {
    this.#socket = socket;
    this.#mayGoOn = mayGoOn;
    this.#isFull = isFull;
    this.#isBetween = isBetween;
    this.#parsed = parsed;
    const listeners = socket.listeners('data');
    this.#parse = (bytes) => {
      for (const listener of listeners) Reflect.apply(listener, socket, [bytes]);
    };
    socket.removeAllListeners('data');
    socket.on('data', (bytes: Buffer) => {
      if (this.#stopped) return;
      this.#rest = this.#rest === undefined ? bytes : Buffer.concat([this.#rest, bytes]);
      this.go();
    });
    socket.on('resume', () => {
      if (this.#stopped) socket.pause();
      if (this.#rest === undefined) return;
      // A pause that came before this event has lost its effect, and another one would have none: the event comes again.
      if (socket.isPaused()) socket.resume();
      else this.go();
    });
  }

  /** Nothing is read any more: the connection is about to be closed. What it has read is let go of. */
  stop(): void {
    this.#stopped = true;
    this.#rest = undefined;
    this.#socket.pause();
  }

  /** Goes on as far as it may. What is left stays, and the connection is not read on. */
  go(): void {
    if (this.#feeding || this.#stopped) return;
    this.#feeding = true;
    while (this.#rest !== undefined && !this.#socket.destroyed && this.#mayGoOn()) {
      const piece = this.#next(this.#rest);
      this.#rest = this.#rest.length > piece.length ? this.#rest.subarray(piece.length) : undefined;
      this.#parse(piece);
      this.#parsed();
    }
    this.#feeding = false;
    const isPaused = this.#socket.isPaused();
    if (this.#rest !== undefined && !isPaused) this.#socket.pause();
    // Where a body waits to be read, the parser has paused; whoever reads it has the connection read on.
    if (this.#rest === undefined && isPaused && !this.#isFull()) this.#socket.resume();
  }
  #next(rest: Buffer): Buffer {
    const piece = rest.subarray(0, PIECE_BYTES);
    const end = this.#isBetween() ? piece.indexOf(HEADERS_END) : -1;
    return end < 0 ? piece : piece.subarray(0, end + HEADERS_END.length);
  }
}
