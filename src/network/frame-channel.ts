import { type Clock, within } from '../lib/clock.ts';
import { CodedError } from '../lib/coded-error.ts';
import { decodeFrame, encodeFrame, type Frame } from '../messages/frame.ts';
import type { Read } from '../messages/rejection.ts';
import type { Channel } from './underlay.ts';

/** The value, or the rejection as an error: for places where a bad message ends the exchange. */
export function required<Value>(read: Read<Value>): Value {
  if (read.ok) return read.value;
  throw new CodedError(
    read.rejection.code,
    `The other side sent something invalid: ${read.rejection.detail}.`,
  );
}

export function outOfTurn(what: string): CodedError<'OUT_OF_TURN'> {
  return new CodedError('OUT_OF_TURN', `The other side sent ${what} when it was not its turn.`);
}

const TIMED_OUT = Symbol('timed out');

/** The next raw frame. Rejects with `FRAME_TIMEOUT` when none has come after `timeoutMs`, and as `receive` does. */
export async function receiveWithin(
  channel: Channel,
  clock: Clock,
  timeoutMs: number,
): Promise<Uint8Array | undefined> {
  const bytes = await within(clock, timeoutMs, channel.receive(), () => TIMED_OUT);
  if (typeof bytes === 'symbol') throw new CodedError('FRAME_TIMEOUT', 'The other side took too long.');
  return bytes;
}

/** A channel of tagged frames. */
export class FrameChannel {
  readonly channel: Channel;
  readonly #clock: Clock;
  readonly #maxFrameBytes: number;

  constructor(channel: Channel, clock: Clock, maxFrameBytes: number) {
    this.channel = channel;
    this.#clock = clock;
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** Rejects with `FRAME_TOO_LARGE` before anything is sent, and as the channel does. */
  async send(frame: Frame): Promise<void> {
    const bytes = encodeFrame(frame);
    if (bytes.length > this.#maxFrameBytes) {
      throw new CodedError('FRAME_TOO_LARGE', `A ${frame.kind} of ${bytes.length} bytes is over the limit.`, {
        data: { kind: frame.kind, bytes: bytes.length, limit: this.#maxFrameBytes },
      });
    }
    await this.channel.send(bytes);
  }

  /** The next frame, `undefined` at the end. Rejects with `FRAME_TIMEOUT`, or the code of what was wrong with it. */
  async receive(timeoutMs?: number): Promise<Frame | undefined> {
    const bytes =
      timeoutMs === undefined
        ? await this.channel.receive()
        : await receiveWithin(this.channel, this.#clock, timeoutMs);
    return bytes === undefined ? undefined : required(decodeFrame(bytes, this.#maxFrameBytes));
  }

  /** The next frame where there must be one. */
  async expect(timeoutMs: number): Promise<Frame> {
    const frame = await this.receive(timeoutMs);
    if (frame === undefined) throw new CodedError('CHANNEL_CLOSED', 'The other side ended before its turn.');
    return frame;
  }
}
