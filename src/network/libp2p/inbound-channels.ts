import type { Connection, PeerId, Stream } from '@libp2p/interface';
import { messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Channel, ProtocolLimits } from '../underlay.ts';
import { StreamChannel, type StreamChannelNeeds } from './stream-channel.ts';

export interface InboundChannelsNeeds extends StreamChannelNeeds {
  readonly logger: Logger;
  /** Called for each channel that was let in. */
  opened(channel: Channel, peer: PeerId): void;
}

/** Lets channels of one protocol in, up to its limits in total and per peer, over however many connections. */
export class InboundChannels {
  readonly #limits: ProtocolLimits;
  readonly #handler: (channel: Channel) => void;
  readonly #needs: InboundChannelsNeeds;
  readonly #openByPeer = new Map<string, number>();
  #open = 0;

  constructor(limits: ProtocolLimits, handler: (channel: Channel) => void, needs: InboundChannelsNeeds) {
    this.#limits = limits;
    this.#handler = handler;
    this.#needs = needs;
  }

  accept(stream: Stream, connection: Connection): void {
    const peer = connection.remotePeer.toString();
    const openOfPeer = this.#openByPeer.get(peer) ?? 0;
    if (openOfPeer >= this.#limits.maxChannelsPerPeer || this.#open >= this.#limits.maxChannels) {
      stream.abort(new Error('too many channels'));
      return;
    }
    const channel = new StreamChannel(stream, connection, this.#limits, this.#needs);
    this.#openByPeer.set(peer, openOfPeer + 1);
    this.#open += 1;
    void channel.ended.then(() => this.#release(peer));
    this.#needs.opened(channel, connection.remotePeer);
    try {
      this.#handler(channel);
    } catch (error) {
      this.#needs.logger.error('channel handler failed', {
        protocol: stream.protocol,
        error: messageOf(error),
      });
      channel.abort();
    }
  }

  #release(peer: string): void {
    this.#open -= 1;
    const left = (this.#openByPeer.get(peer) ?? 1) - 1;
    if (left > 0) this.#openByPeer.set(peer, left);
    else this.#openByPeer.delete(peer);
  }
}
