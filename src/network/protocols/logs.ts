import { CodedError, codeOf } from '../../lib/coded-error.ts';
import type { Frame } from '../../messages/frame.ts';
import { type LogsRequest, readLogsRequest } from '../../messages/logs-request.ts';
import type { ProviderHandler } from '../../provider/ports.ts';
import { attend, countFault, type NetworkContext } from '../context.ts';
import { openUnless, readStream, sendData, sendFailure, withHeartbeats } from '../data-stream.ts';
import { FrameChannel, outOfTurn, required } from '../frame-channel.ts';
import type { Channel } from '../underlay.ts';

/** A follower that has missed so many heartbeats takes the stream for broken. */
const BEATS_MISSED = 4;

/** logs/2: output of an attempt as it grows, for the requester of its contract. */
export function serveLogs(
  context: NetworkContext,
  provider: ProviderHandler | undefined,
  channel: Channel,
): Promise<void> {
  return attend(context, 'logs', channel, async () => {
    const { clock, limits } = context;
    const { maxFrameBytes } = limits.protocols.logs;
    const frame = await new FrameChannel(channel, clock, maxFrameBytes).expect(limits.answerTimeoutMs);
    if (frame.kind !== 'logs-request') throw outOfTurn(`a ${frame.kind}`);
    const request = required(readLogsRequest(frame.body));
    if (provider === undefined) {
      await sendFailure(channel, 'LOGS_UNAVAILABLE');
      return;
    }
    const reader = new AbortController();
    void channel.ended.then(() => reader.abort());
    const { contractId, stream, offset, follow } = request;
    const printed = provider.logs(channel.peer, contractId, stream, offset, follow, reader.signal);
    const chunks = withHeartbeats(printed, clock, limits.logsHeartbeatMs);
    try {
      await sendData(context, channel, chunks, maxFrameBytes, 'split');
    } catch (error) {
      if (reader.signal.aborted) return;
      countFault(context, 'logs', channel.peer, error);
      context.allowances.fault(channel.peer, codeOf(error) ?? 'INTERNAL');
      await sendFailure(channel, 'LOGS_UNAVAILABLE');
    } finally {
      reader.abort();
    }
  });
}

/** Reads an attempt's output from its provider. Throws `PEER_UNREACHABLE` or `LOGS_UNAVAILABLE`. */
export async function* fetchLogs(
  context: NetworkContext,
  peer: string,
  peerRecord: Uint8Array,
  request: LogsRequest,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { underlay, names, limits } = context;
  try {
    const options = { peerRecord, timeoutMs: limits.openTimeoutMs };
    const channel = await openUnless(signal, () =>
      underlay.open(peer, names.logs, limits.protocols.logs, options),
    );
    const question: Frame = { kind: 'logs-request', body: request };
    yield* readStream(context, channel, question, signal, {
      stallMs: request.follow ? undefined : limits.streamStallMs,
      betweenBeatsMs: BEATS_MISSED * limits.logsHeartbeatMs,
    });
  } catch (cause) {
    signal.throwIfAborted();
    countFault(context, 'logs', peer, cause);
    if (codeOf(cause) === 'PEER_UNREACHABLE') throw cause;
    throw new CodedError('LOGS_UNAVAILABLE', 'The provider has not sent the logs to their end.', { cause });
  }
}
