import { pipe } from 'it-pipe';
import { type Clock, within } from '../lib/clock.ts';
import { CodedError } from '../lib/coded-error.ts';
import { decodeDataFrame, encodeDataFrame } from '../messages/data-frame.ts';
import { encodeFrame, type Frame } from '../messages/frame.ts';
import { closeSoftly, type NetworkContext } from './context.ts';
import { receiveWithin, required } from './frame-channel.ts';
import type { Channel } from './underlay.ts';

const TIMED_OUT = Symbol('timed out');

/** What a chunk over the frame limit means: blocks must arrive whole, bytes may be cut. */
export type Oversize = 'fail' | 'split';

async function* inFrames(
  source: AsyncIterable<Uint8Array>,
  maxBytes: number,
  oversize: Oversize,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    if (chunk.length > maxBytes && oversize === 'fail') {
      throw new CodedError('FRAME_TOO_LARGE', 'A block is over the limit of its protocol.');
    }
    for (let start = 0; start === 0 || start < chunk.length; start += maxBytes) {
      yield encodeDataFrame({ kind: 'data', bytes: chunk.subarray(start, start + maxBytes) });
    }
  }
  yield encodeDataFrame({ kind: 'end' });
}

async function drainInto(
  context: NetworkContext,
  channel: Channel,
  frames: AsyncIterable<Uint8Array>,
): Promise<void> {
  for await (const frame of frames) {
    const sent = await within(
      context.clock,
      context.limits.streamStallMs,
      channel.send(frame),
      () => TIMED_OUT,
    );
    if (sent === TIMED_OUT) throw new CodedError('STREAM_STALLED', 'The other side has stopped reading.');
  }
}

/** Sends all of `source` and the end mark. Rejects when the reader stalls for too long or goes away. */
export function sendData(
  context: NetworkContext,
  channel: Channel,
  source: AsyncIterable<Uint8Array>,
  maxFrameBytes: number,
  oversize: Oversize,
): Promise<void> {
  return pipe(
    source,
    (chunks: AsyncIterable<Uint8Array>) => inFrames(chunks, maxFrameBytes - 1, oversize),
    (frames: AsyncIterable<Uint8Array>) => drainInto(context, channel, frames),
  );
}

/** `source`, with an empty chunk in each silence of `everyMs`: readers take no harm from it and know that it goes on. */
export async function* withHeartbeats(
  source: AsyncIterable<Uint8Array>,
  clock: Clock,
  everyMs: number,
): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    for (let next = iterator.next(); ; ) {
      const step = await within(clock, everyMs, next, () => undefined);
      if (step?.done === true) return;
      yield step?.value ?? new Uint8Array();
      if (step !== undefined) next = iterator.next();
    }
  } finally {
    iterator.return?.().catch(() => {});
  }
}

/** Says why there is no (more) data. */
export function sendFailure(channel: Channel, code: string): Promise<void> {
  return channel.send(encodeDataFrame({ kind: 'failed', code }));
}

/**
 * As `underlay.open`, but given up as soon as `signal` is aborted, with its reason: a peer that has gone is not waited
 * for by who does not want it any more. A channel that opens later is dropped.
 */
export async function openUnless(signal: AbortSignal, opening: () => Promise<Channel>): Promise<Channel> {
  signal.throwIfAborted();
  const gaveUp = Promise.withResolvers<never>();
  const giveUp = (): void => gaveUp.reject(signal.reason);
  signal.addEventListener('abort', giveUp, { once: true });
  const opened = opening();
  try {
    return await Promise.race([opened, gaveUp.promise]);
  } catch (error) {
    if (signal.aborted) opened.then((channel) => channel.abort()).catch(() => {});
    throw error;
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

/** How long a stream may be silent: at first, and once an empty chunk has shown that its sender has heartbeats. */
export interface Patience {
  readonly stallMs: number | undefined;
  readonly betweenBeatsMs?: number;
}

/**
 * Asks for a stream and gives its bytes until the end mark. Throws the sender's code when it failed, and
 * `CHANNEL_CLOSED` or `FRAME_TIMEOUT` when it broke off. The channel is dropped when the reader stops early.
 */
export async function* readStream(
  context: NetworkContext,
  channel: Channel,
  request: Frame,
  signal: AbortSignal,
  { stallMs, betweenBeatsMs }: Patience,
): AsyncGenerator<Uint8Array> {
  const drop = (): void => channel.abort();
  signal.addEventListener('abort', drop, { once: true });
  let whole = false;
  let limitMs = stallMs;
  try {
    signal.throwIfAborted();
    await channel.send(encodeFrame(request));
    for (;;) {
      const bytes = await (limitMs === undefined
        ? channel.receive()
        : receiveWithin(channel, context.clock, limitMs));
      if (bytes === undefined) throw new CodedError('CHANNEL_CLOSED', 'The stream broke off.');
      const frame = required(decodeDataFrame(bytes));
      if (frame.kind === 'failed') throw new CodedError(frame.code, 'The other side could not go on.');
      if (frame.kind === 'end') break;
      if (frame.bytes.length === 0) limitMs = betweenBeatsMs ?? limitMs;
      yield frame.bytes;
    }
    whole = true;
  } finally {
    signal.removeEventListener('abort', drop);
    if (whole) closeSoftly(context, channel);
    else channel.abort();
  }
}
