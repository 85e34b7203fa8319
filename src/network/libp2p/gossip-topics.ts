import {
  type GossipSub,
  type Message,
  type SubscriptionChangeData,
  TopicValidatorResult,
} from '@libp2p/gossipsub';
import type { PeerId } from '@libp2p/interface';
import type { Clock, Timer } from '../../lib/clock.ts';
import { CodedError, messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { GossipVerdict } from '../underlay.ts';

/** A new subscriber's own stream is usually there within two milliseconds of its subscription. */
const REACHABLE_CHECKS_MS = [1, 2, 4, 8, 16, 32, 64, 128, 256] as const;

const RESULTS: Readonly<Record<GossipVerdict, TopicValidatorResult>> = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
};

type Validate = (from: string, message: Uint8Array) => GossipVerdict;

export interface GossipTopicsNeeds {
  readonly maxGossipBytes: number;
  readonly clock: Clock;
  readonly logger: Logger;
  isConnected(peer: string): boolean;
  subscribersChanged(topic: string): void;
}

/** The topics of this node and of its neighbours, over one run of gossipsub. */
export class GossipTopics {
  readonly #pubsub: GossipSub;
  readonly #needs: GossipTopicsNeeds;
  readonly #topicsOfPeer = new Map<string, Set<string>>();
  readonly #checks = new Map<string, Timer>();

  constructor(pubsub: GossipSub, needs: GossipTopicsNeeds) {
    this.#pubsub = pubsub;
    this.#needs = needs;
    pubsub.addEventListener('subscription-change', (event) => this.#onSubscriptions(event.detail));
  }

  /** Before the node starts, so that no message gets past it. */
  validate(topic: string, validate: Validate): void {
    this.#pubsub.topicValidators.set(topic, (from, message) => this.#verdict(validate, from, message));
  }

  listen(topic: string): void {
    this.#pubsub.subscribe(topic);
  }

  async publish(topic: string, message: Uint8Array): Promise<void> {
    if (message.byteLength > this.#needs.maxGossipBytes) {
      throw new CodedError(
        'GOSSIP_TOO_LARGE',
        `A gossip message of ${message.byteLength} bytes is over the limit of ${this.#needs.maxGossipBytes}.`,
      );
    }
    await this.#pubsub.publish(topic, message);
  }

  /** Only peers that a message can be sent to now: gossipsub knows of subscriptions before it can answer. */
  subscribers(topic: string): string[] {
    return this.#pubsub
      .getSubscribers(topic)
      .map((peer) => peer.toString())
      .filter((peer) => this.#needs.isConnected(peer) && this.isReachable(peer));
  }

  /** True when this node has a gossip stream to the peer. */
  isReachable(peer: string): boolean {
    const streams: unknown = Reflect.get(this.#pubsub, 'streamsOutbound');
    return !(streams instanceof Map) || streams.has(peer);
  }

  /** Tells of the peer's topics once it can be reached. */
  awaitReachable(peer: string): void {
    this.#announceWhenReachable(peer, 0);
  }

  peerDisconnected(peer: string): void {
    this.#checks.get(peer)?.cancel();
    this.#checks.delete(peer);
    const topics = this.#topicsOfPeer.get(peer) ?? [];
    this.#topicsOfPeer.delete(peer);
    for (const topic of topics) this.#needs.subscribersChanged(topic);
  }

  stop(): void {
    for (const timer of this.#checks.values()) timer.cancel();
    this.#checks.clear();
    this.#topicsOfPeer.clear();
  }

  #verdict(validate: Validate, from: PeerId, message: Message): TopicValidatorResult {
    if (message.data.byteLength > this.#needs.maxGossipBytes) return TopicValidatorResult.Reject;
    try {
      return RESULTS[validate(from.toString(), message.data)];
    } catch (error) {
      this.#needs.logger.error('gossip validator failed', { topic: message.topic, error: messageOf(error) });
      return TopicValidatorResult.Ignore;
    }
  }

  #onSubscriptions({ peerId, subscriptions }: SubscriptionChangeData): void {
    const peer = peerId.toString();
    const topics = this.#topicsOfPeer.get(peer) ?? new Set();
    for (const { topic, subscribe } of subscriptions) {
      if (subscribe) topics.add(topic);
      else topics.delete(topic);
    }
    this.#topicsOfPeer.set(peer, topics);
    const changed = subscriptions.map(({ topic }) => topic);
    if (this.isReachable(peer)) this.#announce(changed);
    else this.awaitReachable(peer);
  }

  #announceWhenReachable(peer: string, check: number): void {
    const delayMs = REACHABLE_CHECKS_MS[check];
    this.#checks.get(peer)?.cancel();
    this.#checks.delete(peer);
    if (delayMs === undefined) return;
    const timer = this.#needs.clock.after(delayMs, () => {
      if (!this.isReachable(peer)) {
        this.#announceWhenReachable(peer, check + 1);
        return;
      }
      this.#checks.delete(peer);
      this.#announce([...(this.#topicsOfPeer.get(peer) ?? [])]);
    });
    this.#checks.set(peer, timer);
  }

  #announce(topics: readonly string[]): void {
    for (const topic of topics) this.#needs.subscribersChanged(topic);
  }
}
