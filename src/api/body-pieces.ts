import type { IncomingMessage } from 'node:http';

/**
 * What the HTTP parser finds of a body in one piece of a connection, as one piece of the body. The parser makes one of
 * each chunk, and chunks may have a single byte: a body that waits to be read would be ten thousand objects, which are
 * then all read in one turn.
 */
export class BodyPieces {
  readonly #request: IncomingMessage;
  readonly #push: (bytes: Buffer | null) => boolean;
  readonly #pieces: Buffer[] = [];
  #missingBytes: number;

  constructor(request: IncomingMessage) {
    this.#request = request;
    // The parser has refused what is no length.
    this.#missingBytes = Number(request.headers['content-length'] ?? 0);
    this.#push = request.push.bind(request);
    request.push = (bytes: Buffer | null): boolean => {
      if (bytes !== null) {
        this.#missingBytes -= bytes.length;
        return this.#pieces.push(bytes) > 0;
      }
      this.#missingBytes = 0;
      this.flush();
      return this.#push(null);
    };
  }

  /** So many bytes of the body, where its length is known, have not come; 0 where it is not. */
  get missingBytes(): number {
    return this.#missingBytes;
  }

  /** To be called once the parser has done with a piece. */
  flush(): void {
    if (this.#pieces.length === 0) return;
    const [first = Buffer.alloc(0)] = this.#pieces;
    const bytes = this.#pieces.length === 1 ? first : Buffer.concat(this.#pieces);
    this.#pieces.length = 0;
    // As the parser does it itself.
    if (!this.#push(bytes)) this.#request.socket.pause();
  }
}
