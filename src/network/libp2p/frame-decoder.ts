import { CodedError } from '../../lib/coded-error.ts';
import { ByteQueue } from './byte-queue.ts';

const CONTINUES = 0x80;
const PAYLOAD = 0x7f;
const PAYLOAD_BITS = 7;
/** Enough for 256 MiB, which no protocol's frame limit comes near. */
const MAX_PREFIX_BYTES = 4;
const FIRST_ROOM_BYTES = 1024;
const NOTHING = new Uint8Array();

export class FrameTooLargeError extends CodedError<'FRAME_TOO_LARGE'> {
  constructor(maxFrameBytes: number) {
    super('FRAME_TOO_LARGE', `A frame is larger than this protocol's ${maxFrameBytes} bytes.`);
  }
}

export class EmptyFrameError extends CodedError<'FRAME_EMPTY'> {
  constructor() {
    super('FRAME_EMPTY', 'A frame is empty: every frame has a byte at least.');
  }
}

/** The frame behind its length as a varint, in one piece: one piece is one packet. */
export function encodeFrame(frame: Uint8Array): Uint8Array {
  const prefix: number[] = [];
  let rest = frame.byteLength;
  while (rest >= CONTINUES) {
    prefix.push((rest & PAYLOAD) | CONTINUES);
    rest >>>= PAYLOAD_BITS;
  }
  prefix.push(rest);
  const bytes = new Uint8Array(prefix.length + frame.byteLength);
  bytes.set(prefix);
  bytes.set(frame, prefix.length);
  return bytes;
}

/**
 * Cuts a byte stream into frames, as far as they are wanted. What it keeps are bytes that arrived, copied: those of one
 * unfinished frame, and those it has not looked at, because nobody wants more frames.
 */
export class FrameDecoder {
  readonly #maxFrameBytes: number;
  readonly #rest = new ByteQueue();
  #prefixBytes = 0;
  #length = 0;
  #inBody = false;
  #body: Uint8Array = NOTHING;
  #filled = 0;

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** True between frames: an end of the stream here cuts nothing off. */
  get isAtBoundary(): boolean {
    return !this.isUnfinished && this.#rest.byteLength === 0;
  }

  /** True when a frame has begun, and all that arrived of it was taken. */
  get isUnfinished(): boolean {
    return this.#inBody || this.#prefixBytes > 0;
  }

  /** True when bytes arrived that were not looked at. */
  get hasRest(): boolean {
    return this.#rest.byteLength > 0;
  }

  get heldBytes(): number {
    return this.#body.byteLength + this.#rest.heldBytes;
  }

  /**
   * Gives the frames in what arrived to `take`, until it says that it wants no more. Throws `FRAME_EMPTY`,
   * `FRAME_LENGTH_INVALID` or `FRAME_TOO_LARGE` as soon as a length says so; the stream is of no use afterwards.
   */
  push(chunk: Uint8Array, take: (frame: Uint8Array) => boolean): void {
    if (this.#rest.byteLength === 0) {
      const decoded = this.#decode(chunk, take);
      if (decoded < chunk.byteLength) this.#rest.append(chunk.subarray(decoded));
      return;
    }
    this.#rest.append(chunk);
    this.goOn(take);
  }

  /** Keeps the chunk for later. */
  postpone(chunk: Uint8Array): void {
    this.#rest.append(chunk);
  }

  /** As {@link FrameDecoder.push}, with what it has not looked at yet. */
  goOn(take: (frame: Uint8Array) => boolean): void {
    if (this.#rest.byteLength > 0) this.#rest.consume(this.#decode(this.#rest.bytes, take));
  }

  #decode(chunk: Uint8Array, take: (frame: Uint8Array) => boolean): number {
    let offset = 0;
    let wanted = true;
    while (wanted && offset < chunk.byteLength) {
      if (!this.#inBody) {
        this.#readPrefixByte(chunk[offset] ?? 0);
        offset += 1;
      } else {
        const part = chunk.subarray(offset, offset + this.#length - this.#filled);
        offset += part.byteLength;
        this.#fill(part);
        if (this.#filled === this.#length) wanted = take(this.#takeFrame());
      }
    }
    return offset;
  }

  #readPrefixByte(byte: number): void {
    this.#length |= (byte & PAYLOAD) << (PAYLOAD_BITS * this.#prefixBytes);
    this.#prefixBytes += 1;
    const complete = byte < CONTINUES;
    if (this.#length > this.#maxFrameBytes || (!complete && this.#prefixBytes === MAX_PREFIX_BYTES)) {
      throw new FrameTooLargeError(this.#maxFrameBytes);
    }
    if (!complete) return;
    if (byte === 0 && this.#prefixBytes > 1) {
      throw new CodedError(
        'FRAME_LENGTH_INVALID',
        'The length of a frame is not written in its shortest form.',
      );
    }
    if (this.#length === 0) throw new EmptyFrameError();
    this.#inBody = true;
  }

  /** The room grows with what really came: a length alone takes none. */
  #fill(part: Uint8Array): void {
    const needed = this.#filled + part.byteLength;
    if (needed > this.#body.byteLength) {
      const room =
        needed === this.#length ? needed : Math.max(needed, FIRST_ROOM_BYTES, this.#body.byteLength * 2);
      const body = new Uint8Array(Math.min(room, this.#length));
      body.set(this.#body.subarray(0, this.#filled));
      this.#body = body;
    }
    this.#body.set(part, this.#filled);
    this.#filled = needed;
  }

  #takeFrame(): Uint8Array {
    const frame = this.#body;
    this.#body = NOTHING;
    this.#filled = 0;
    this.#inBody = false;
    this.#prefixBytes = 0;
    this.#length = 0;
    return frame;
  }
}
