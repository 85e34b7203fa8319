import { CodedError } from '../../lib/coded-error.ts';
import { bidRequestMessage } from '../../messages/bid-request.ts';
import { attend, closeSoftly, type NetworkContext } from '../context.ts';
import { FrameChannel, outOfTurn, required } from '../frame-channel.ts';
import type { RequestIntake } from '../gossip/request-intake.ts';
import type { Channel } from '../underlay.ts';

/**
 * request/2: sends an encoded bid request to a peer that gossip may not have reached. No answer comes back on it.
 * Dials only with a peer record: broadcast requests go over connections that exist.
 */
export async function sendRequest(
  context: NetworkContext,
  peer: string,
  message: Uint8Array,
  peerRecord?: Uint8Array,
): Promise<void> {
  const { underlay, names, limits } = context;
  const channel = await underlay.open(peer, names.request, limits.protocols.request, {
    timeoutMs: limits.openTimeoutMs,
    ...(peerRecord === undefined ? {} : { peerRecord }),
  });
  try {
    await channel.send(message);
    closeSoftly(context, channel);
  } catch (error) {
    channel.abort();
    throw error;
  }
}

export function serveRequest(
  context: NetworkContext,
  intake: RequestIntake,
  channel: Channel,
): Promise<void> {
  return attend(context, 'request', channel, async () => {
    const { clock, limits, verifier } = context;
    if (!intake.hears(channel.peer))
      throw new CodedError('OVER_RATE', 'The requester has sent more than it may.');
    const frames = new FrameChannel(channel, clock, limits.protocols.request.maxFrameBytes);
    const frame = await frames.expect(limits.answerTimeoutMs);
    if (frame.kind !== 'bid-request') throw outOfTurn(`a ${frame.kind}`);
    intake.fromRequester(required(verifier.open(bidRequestMessage, frame.body, channel.peer)));
  });
}
