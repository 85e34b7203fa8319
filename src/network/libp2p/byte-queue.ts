const SMALLEST = 256;
/** Room that is kept for what comes next, once it was needed. */
const KEPT_BYTES = 4096;
const NOTHING = new Uint8Array();

/**
 * Bytes in one piece, added at the end and taken from the front. They are copied in, so that a byte costs a byte and
 * not the chunk that it came in, and the room is never more than twice what is there.
 */
export class ByteQueue {
  #room: Uint8Array = NOTHING;
  #from = 0;
  #to = 0;

  get byteLength(): number {
    return this.#to - this.#from;
  }

  /** What it keeps in memory. */
  get heldBytes(): number {
    return this.#room.byteLength;
  }

  /** What is there; it may change with the next call. */
  get bytes(): Uint8Array {
    return this.#room.subarray(this.#from, this.#to);
  }

  append(chunk: Uint8Array): void {
    const needed = this.byteLength + chunk.byteLength;
    if (this.#to + chunk.byteLength > this.#room.byteLength) this.#move(needed);
    this.#room.set(chunk, this.#to);
    this.#to += chunk.byteLength;
  }

  consume(count: number): void {
    this.#from += count;
    if (this.#from < this.#to) return;
    this.#from = 0;
    this.#to = 0;
    if (this.#room.byteLength > KEPT_BYTES) this.#room = NOTHING;
  }

  #move(needed: number): void {
    const bytes = this.bytes;
    const room =
      needed * 2 > this.#room.byteLength ? new Uint8Array(Math.max(SMALLEST, needed * 2)) : this.#room;
    if (room === this.#room) room.copyWithin(0, this.#from, this.#to);
    else room.set(bytes);
    this.#room = room;
    this.#from = 0;
    this.#to = bytes.byteLength;
  }
}
