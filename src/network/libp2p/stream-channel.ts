import type { Connection, Stream } from '@libp2p/interface';
import type { Clock, Timer } from '../../lib/clock.ts';
import { CodedError, codeOf } from '../../lib/coded-error.ts';
import type { Channel } from '../underlay.ts';
import { EmptyFrameError, encodeFrame, FrameTooLargeError } from './frame-decoder.ts';
import { FrameInbox } from './frame-inbox.ts';
import type { UnreadBytes, UnreadHolder } from './unread-bytes.ts';
import { setFlow } from './window-updates.ts';

/** From its first byte on a frame may take so long to come, as long as this node reads. */
export const FRAME_DEADLINE_MS = 30_000;
/** Bytes that may lie unsent when `send` resolves. */
const MAX_UNSENT_BYTES = 64 * 1024;
/** A peer that does not read is dropped when it takes longer than this to take the rest. */
const CLOSE_TIMEOUT_MS = 5000;

export interface StreamChannelNeeds {
  readonly clock: Clock;
  readonly unread: Pick<UnreadBytes, 'changed'>;
  /** Runs it in a later turn, as work that the connection makes. */
  later(connection: Connection, run: () => void): void;
  /** The other side broke a channel: the code says how. */
  faulted(peer: string, code: string): void;
  /** True when this node did not read the connection for a while since then. */
  isUnread(connection: Connection, sinceMs: number): boolean;
}

export interface ChannelSettings {
  readonly maxFrameBytes: number;
  /** Called when the other side has said something. */
  readonly firstFrame?: () => void;
}

/** Frames over one libp2p stream. */
export class StreamChannel implements Channel, UnreadHolder {
  readonly peer: string;
  readonly ended: Promise<void>;
  readonly #stream: Stream;
  readonly #connection: Connection;
  readonly #maxFrameBytes: number;
  readonly #needs: StreamChannelNeeds;
  readonly #inbox: FrameInbox;
  #remoteClosed = false;
  #deadline: Timer | undefined;
  #owedSinceMs = 0;
  #takenThen = -1;

  constructor(
    stream: Stream,
    connection: Connection,
    { maxFrameBytes, firstFrame }: ChannelSettings,
    needs: StreamChannelNeeds,
  ) {
    this.peer = connection.remotePeer.toString();
    this.#stream = stream;
    this.#connection = connection;
    this.#maxFrameBytes = maxFrameBytes;
    this.#needs = needs;
    this.#inbox = new FrameInbox({
      maxFrameBytes,
      flow: (goesOn) => setFlow(stream, goesOn),
      later: (run) =>
        needs.later(connection, () => {
          run();
          this.#changed();
        }),
      firstFrame: () => firstFrame?.(),
      fault: (error) => this.#faulted(error),
    });
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

  get heldBytes(): number {
    return this.#inbox.heldBytes;
  }

  async send(frame: Uint8Array): Promise<void> {
    if (frame.byteLength > this.#maxFrameBytes) throw new FrameTooLargeError(this.#maxFrameBytes);
    if (frame.byteLength === 0) throw new EmptyFrameError();
    if (this.#inbox.failure !== undefined) throw this.#inbox.failure;
    let hasRoom: boolean;
    try {
      hasRoom = this.#stream.send(encodeFrame(frame));
    } catch (cause) {
      throw this.#closedError(cause);
    }
    if (!hasRoom) await this.#untilSent();
  }

  receive(): Promise<Uint8Array | undefined> {
    const frame = this.#inbox.receive();
    this.#changed();
    return frame;
  }

  async close(): Promise<void> {
    const timeout = new AbortController();
    const timer = this.#needs.clock.after(CLOSE_TIMEOUT_MS, () => timeout.abort());
    try {
      await this.#stream.close({ signal: timeout.signal });
    } catch {
      this.abort();
    } finally {
      timer.cancel();
    }
  }

  abort(): void {
    this.#inbox.drop(this.#closedError());
    this.#changed();
    this.#stream.abort(new Error('dropped by this node'));
  }

  /** What waits here is too much, with that of others. */
  overflow(): void {
    this.#break(new CodedError('UNREAD_TOO_MUCH', 'Too much of the peer waits to be read.'));
  }

  #onBytes(bytes: Uint8Array): void {
    this.#inbox.arrive(bytes);
    this.#changed();
  }

  /**
   * libp2p says `end` also when the connection broke. Only an end that the other side asked for, between two
   * frames, is one; everything else must not look like a finished conversation.
   */
  #onEnd(): void {
    if (!this.#remoteClosed || !this.#inbox.end()) this.#inbox.fail(this.#closedError());
    this.#changed();
  }

  #onClose(): void {
    this.#inbox.fail(this.#closedError());
    this.#changed();
  }

  #changed(): void {
    this.#needs.unread.changed(this);
    const { isOwed, taken, failure } = this.#inbox;
    if (!isOwed) {
      this.#takenThen = -1;
      if (failure !== undefined) this.#deadline?.cancel();
    } else if (taken !== this.#takenThen) {
      this.#takenThen = taken;
      this.#owedSinceMs = this.#needs.clock.monotonicMs();
      if (this.#deadline === undefined) this.#awaitFrame(FRAME_DEADLINE_MS);
    }
  }

  /** One timer for many frames: it looks at when the one began that is owed then. */
  #awaitFrame(delayMs: number): void {
    this.#deadline = this.#needs.clock.after(delayMs, () => {
      this.#deadline = undefined;
      if (!this.#inbox.isOwed) return;
      const leftMs = this.#owedSinceMs + FRAME_DEADLINE_MS - this.#needs.clock.monotonicMs();
      if (leftMs > 0) this.#awaitFrame(leftMs);
      else if (this.#needs.isUnread(this.#connection, this.#owedSinceMs)) this.#awaitFrame(FRAME_DEADLINE_MS);
      else this.#break(new CodedError('FRAME_UNFINISHED', 'A frame did not come to its end in time.'));
    });
  }

  #break(error: CodedError): void {
    this.#inbox.drop(error);
    this.#faulted(error);
  }

  #faulted(error: Error): void {
    this.#needs.faulted(this.peer, codeOf(error) ?? 'CHANNEL_CLOSED');
    this.#changed();
    this.#stream.abort(error);
  }

  #closedError(cause?: unknown): CodedError {
    return new CodedError('CHANNEL_CLOSED', 'The channel to the peer is closed.', { cause });
  }

  /** Waits on the buffer itself: one `drain` lets only a part through, and `onDrain` resolves on the first one. */
  async #untilSent(): Promise<void> {
    const stream = this.#stream;
    while (stream.writableNeedsDrain || stream.writeBufferLength > MAX_UNSENT_BYTES) {
      if (this.#inbox.failure !== undefined) throw this.#inbox.failure;
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
