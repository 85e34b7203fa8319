import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface';
import { CodedError, messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Channel, ProtocolLimits } from '../underlay.ts';
import { InboundChannels } from './inbound-channels.ts';
import { StreamChannel, type StreamChannelNeeds } from './stream-channel.ts';

export interface ProtocolHandler {
  readonly limits: ProtocolLimits;
  readonly handler: (channel: Channel) => void;
}

export interface LiveChannelsNeeds extends StreamChannelNeeds {
  readonly logger: Logger;
  /** A channel with the peer was opened, by either side. */
  opened(peer: PeerId): void;
  /** The peer said something on a channel that this node had opened. */
  answered(peer: string): void;
}

/** All open channels, both ways. */
export class LiveChannels {
  readonly #needs: LiveChannelsNeeds;
  readonly #channels = new Set<Channel>();

  constructor(needs: LiveChannelsNeeds) {
    this.#needs = needs;
  }

  serve(host: Pick<Libp2p, 'handle'>, protocol: string, { limits, handler }: ProtocolHandler): Promise<void> {
    const inbound = new InboundChannels(limits, handler, {
      ...this.#needs,
      opened: (channel, peer) => this.#track(channel, peer),
    });
    return host.handle(protocol, (stream, connection) => inbound.accept(stream, connection), {
      // One more than ours, so that it is ours that decides; libp2p's count is per connection.
      maxInboundStreams: limits.maxChannelsPerPeer + 1,
      maxOutboundStreams: limits.maxChannels,
    });
  }

  /**
   * Rejects with `PEER_UNREACHABLE` or `PROTOCOL_UNSUPPORTED`. `ADDRESS_REFUSED` and `DIAL_BUDGET_EXHAUSTED` come before
   * there is a connection, from the dialer.
   */
  async open(
    connection: Connection,
    protocol: string,
    limits: ProtocolLimits,
    timeoutMs: number,
  ): Promise<Channel> {
    const peer = connection.remotePeer.toString();
    const stream = await this.#openStream(connection, protocol, limits, timeoutMs);
    const settings = { maxFrameBytes: limits.maxFrameBytes, firstFrame: () => this.#needs.answered(peer) };
    const channel = new StreamChannel(stream, connection, settings, this.#needs);
    this.#track(channel, connection.remotePeer);
    return channel;
  }

  abortAll(): void {
    for (const channel of this.#channels) channel.abort();
  }

  #track(channel: Channel, peer: PeerId): void {
    this.#channels.add(channel);
    this.#needs.opened(peer);
    void channel.ended.then(() => this.#channels.delete(channel));
  }

  async #openStream(
    connection: Connection,
    protocol: string,
    limits: ProtocolLimits,
    timeoutMs: number,
  ): Promise<Stream> {
    const peer = connection.remotePeer.toString();
    const timeout = new AbortController();
    const timer = this.#needs.clock.after(timeoutMs, () => timeout.abort());
    try {
      return await connection.newStream(protocol, {
        signal: timeout.signal,
        maxOutboundStreams: limits.maxChannels,
      });
    } catch (cause) {
      if (cause instanceof Error && cause.name === 'UnsupportedProtocolError') {
        throw new CodedError('PROTOCOL_UNSUPPORTED', `Peer ${peer} does not speak ${protocol}.`, { cause });
      }
      throw unreachable(peer, messageOf(cause), cause);
    } finally {
      timer.cancel();
    }
  }
}

export function unreachable(peer: string, reason: string, cause?: unknown): CodedError {
  return new CodedError('PEER_UNREACHABLE', `Peer ${peer} cannot be reached: ${reason}.`, {
    cause,
    data: { peer },
  });
}
