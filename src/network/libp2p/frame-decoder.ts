import { CodedError } from '../../lib/coded-error.ts';

const CONTINUES = 0x80;
const PAYLOAD = 0x7f;
const PAYLOAD_BITS = 7;
/** Enough for 256 MiB, which no protocol's frame limit comes near. */
const MAX_PREFIX_BYTES = 4;

export class FrameTooLargeError extends CodedError<'FRAME_TOO_LARGE'> {
  constructor(maxFrameBytes: number) {
    super('FRAME_TOO_LARGE', `A frame is larger than this protocol's ${maxFrameBytes} bytes.`);
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

/** Cuts a byte stream into frames. What it keeps is at most one unfinished frame, and only bytes that arrived. */
export class FrameDecoder {
  readonly #maxFrameBytes: number;
  #prefixBytes = 0;
  #length = 0;
  #inBody = false;
  #parts: Uint8Array[] = [];
  #missing = 0;

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** True between frames: an end of the stream here cuts nothing off. */
  get isAtBoundary(): boolean {
    return !this.#inBody && this.#prefixBytes === 0;
  }

  /** Throws {@link FrameTooLargeError} as soon as a length says so; the stream is of no use afterwards. */
  push(chunk: Uint8Array): Uint8Array[] {
    const frames: Uint8Array[] = [];
    let offset = 0;
    while (offset < chunk.byteLength) {
      if (!this.#inBody) {
        this.#readPrefixByte(chunk[offset] ?? 0);
        offset += 1;
      } else {
        const part = chunk.subarray(offset, offset + this.#missing);
        offset += part.byteLength;
        this.#missing -= part.byteLength;
        this.#parts.push(part);
      }
      if (this.#inBody && this.#missing === 0) frames.push(this.#takeFrame());
    }
    return frames;
  }

  #readPrefixByte(byte: number): void {
    this.#length |= (byte & PAYLOAD) << (PAYLOAD_BITS * this.#prefixBytes);
    this.#prefixBytes += 1;
    const complete = byte < CONTINUES;
    if (this.#length > this.#maxFrameBytes || (!complete && this.#prefixBytes === MAX_PREFIX_BYTES)) {
      throw new FrameTooLargeError(this.#maxFrameBytes);
    }
    if (!complete) return;
    this.#inBody = true;
    this.#missing = this.#length;
  }

  /** Copies, so that a small frame does not keep the whole network buffer alive. */
  #takeFrame(): Uint8Array {
    const frame = new Uint8Array(this.#length);
    let offset = 0;
    for (const part of this.#parts) {
      frame.set(part, offset);
      offset += part.byteLength;
    }
    this.#parts = [];
    this.#inBody = false;
    this.#prefixBytes = 0;
    this.#length = 0;
    return frame;
  }
}
