import type { Stream } from '@libp2p/interface';
import type { Clock } from '../../lib/clock.ts';
import { CodedError } from '../../lib/coded-error.ts';
import type { Channel } from '../underlay.ts';
import { encodeFrame, FrameDecoder, FrameTooLargeError } from './frame-decoder.ts';

/** Received frames that wait for the reader; beyond these the other side's window stays shut. */
const MAX_WAITING_BYTES = 256 * 1024;
const MAX_WAITING_FRAMES = 256;
/** Bytes that may lie unsent when `send` resolves. */
const MAX_UNSENT_BYTES = 64 * 1024;
/** A peer that does not read is dropped when it takes longer than this to take the rest. */
const CLOSE_TIMEOUT_MS = 5000;

interface Reader {
  resolve(frame: Uint8Array | undefined): void;
  reject(error: Error): void;
}

export interface StreamChannelNeeds {
  readonly peer: string;
  readonly maxFrameBytes: number;
  readonly clock: Clock;
  /** Called when the other side has said something. */
  readonly firstFrame?: () => void;
}

/** Frames over one libp2p stream. */
export class StreamChannel implements Channel {
  readonly peer: string;
  readonly ended: Promise<void>;
  readonly #stream: Stream;
  readonly #clock: Clock;
  readonly #maxFrameBytes: number;
  readonly #decoder: FrameDecoder;
  readonly #readers: Reader[] = [];
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #remoteClosed = false;
  #atEnd = false;
  #failure: Error | undefined;
  #firstFrame: (() => void) | undefined;

  constructor(stream: Stream, needs: StreamChannelNeeds) {
    this.peer = needs.peer;
    this.#stream = stream;
    this.#clock = needs.clock;
    this.#maxFrameBytes = needs.maxFrameBytes;
    this.#firstFrame = needs.firstFrame;
    this.#decoder = new FrameDecoder(needs.maxFrameBytes);
    this.ended = new Promise((resolve) => {
      stream.addEventListener('close', () => resolve(), { once: true });
      if (stream.status !== 'open' && stream.status !== 'closing') resolve();
    });
    stream.addEventListener('remoteCloseWrite', () => {
      this.#remoteClosed = true;
    });
    stream.addEventListener('end', () => this.#onEnd());
    stream.addEventListener('close', () => this.#onClose());
    if (stream.status === 'open' && stream.remoteWriteStatus === 'closed') this.#remoteClosed = true;
    stream.addEventListener('message', (event) => this.#onBytes(event.data.subarray()));
    if (stream.readableEnded) this.#onEnd();
  }

  async send(frame: Uint8Array): Promise<void> {
    if (frame.byteLength > this.#maxFrameBytes) throw new FrameTooLargeError(this.#maxFrameBytes);
    if (this.#failure !== undefined) throw this.#failure;
    let hasRoom: boolean;
    try {
      hasRoom = this.#stream.send(encodeFrame(frame));
    } catch (cause) {
      throw this.#closedError(cause);
    }
    if (!hasRoom) await this.#untilSent();
  }

  receive(): Promise<Uint8Array | undefined> {
    const frame = this.#waiting.shift();
    if (frame !== undefined) {
      this.#waitingBytes -= frame.byteLength;
      if (this.#waiting.length === 0) this.#resume();
      return Promise.resolve(frame);
    }
    if (this.#atEnd) return Promise.resolve(undefined);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
  }

  async close(): Promise<void> {
    const timeout = new AbortController();
    const timer = this.#clock.after(CLOSE_TIMEOUT_MS, () => timeout.abort());
    try {
      await this.#stream.close({ signal: timeout.signal });
    } catch {
      this.abort();
    } finally {
      timer.cancel();
    }
  }

  abort(): void {
    this.#fail(this.#closedError());
    this.#waiting = [];
    this.#stream.abort(new Error('dropped by this node'));
  }

  #onBytes(bytes: Uint8Array): void {
    if (this.#failure !== undefined) return;
    try {
      for (const frame of this.#decoder.push(bytes)) this.#deliver(frame);
    } catch (error) {
      this.#fail(error instanceof Error ? error : this.#closedError(error));
      this.#stream.abort(new Error('frame too large'));
      return;
    }
    if (this.#waitingBytes > MAX_WAITING_BYTES || this.#waiting.length > MAX_WAITING_FRAMES) this.#pause();
  }

  #deliver(frame: Uint8Array): void {
    this.#firstFrame?.();
    this.#firstFrame = undefined;
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader.resolve(frame);
      return;
    }
    this.#waiting.push(frame);
    this.#waitingBytes += frame.byteLength;
  }

  /**
   * libp2p says `end` also when the connection broke. Only an end that the other side asked for, between two
   * frames, is one; everything else must not look like a finished conversation.
   */
  #onEnd(): void {
    if (!this.#remoteClosed || !this.#decoder.isAtBoundary) {
      this.#fail(this.#closedError());
      return;
    }
    if (this.#failure !== undefined) return;
    this.#atEnd = true;
    for (const reader of this.#readers.splice(0)) reader.resolve(undefined);
  }

  #onClose(): void {
    const restIsBuffered = this.#remoteClosed && this.#stream.readStatus === 'paused';
    if (!this.#atEnd && !restIsBuffered) this.#fail(this.#closedError());
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const reader of this.#readers.splice(0)) reader.reject(this.#failure);
  }

  #closedError(cause?: unknown): CodedError {
    return new CodedError('CHANNEL_CLOSED', 'The channel to the peer is closed.', { cause });
  }

  #pause(): void {
    if (this.#stream.readStatus === 'readable') this.#stream.pause();
  }

  /** Frames that lay in the stream's own buffer are delivered from within `resume`. */
  #resume(): void {
    if (this.#stream.readStatus !== 'paused') return;
    try {
      this.#stream.resume();
    } catch (cause) {
      if (!this.#atEnd) this.#fail(this.#closedError(cause));
    }
  }

  /** Waits on the buffer itself: one `drain` lets only a part through, and `onDrain` resolves on the first one. */
  async #untilSent(): Promise<void> {
    const stream = this.#stream;
    while (stream.writableNeedsDrain || stream.writeBufferLength > MAX_UNSENT_BYTES) {
      if (this.#failure !== undefined) throw this.#failure;
      if (stream.status !== 'open') throw this.#closedError();
      await nextWriteEvent(stream);
    }
  }
}

const WRITE_EVENTS = ['drain', 'idle', 'close'] as const;

function nextWriteEvent(stream: Stream): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const name of WRITE_EVENTS) stream.removeEventListener(name, done);
      resolve();
    };
    for (const name of WRITE_EVENTS) stream.addEventListener(name, done);
  });
}
