import { ByteQueue } from './byte-queue.ts';

/** Before the end of the handshake this node takes so much of a connection; an honest one needs a fifth of it. */
const MOST_EARLY_BYTES = 4096;
/** What is taken at once: words of two bytes are answered one by one. */
const PIECE_BYTES = 256;

/**
 * What a connection brings before its handshake is over, in small pieces and not beyond a bound: nobody has said who it
 * is yet, and the choice of protocols answers each word. What comes later waits until then.
 */
export class EarlyBytes {
  readonly #rest = new ByteQueue();
  #taken = 0;
  #isOver = false;

  /** True once the handshake is over and nothing waits: from here on chunks pass as they are. */
  get isDone(): boolean {
    return this.#isOver && !this.hasRest;
  }

  get hasRest(): boolean {
    return this.#rest.byteLength > 0;
  }

  /** True when it waits for the end of the handshake, and for nothing else. */
  get isStuck(): boolean {
    return !this.#isOver && this.#taken >= MOST_EARLY_BYTES;
  }

  append(bytes: Uint8Array): void {
    this.#rest.append(bytes);
  }

  /** The handshake is over. */
  over(): void {
    this.#isOver = true;
  }

  /** What is to be taken next; undefined when there is nothing, or it has to wait. */
  next(): Uint8Array | undefined {
    const most = this.#isOver ? this.#rest.byteLength : Math.min(PIECE_BYTES, MOST_EARLY_BYTES - this.#taken);
    const piece = this.#rest.bytes.slice(0, most);
    if (piece.byteLength === 0) return undefined;
    this.#taken += piece.byteLength;
    this.#rest.consume(piece.byteLength);
    return piece;
  }
}
