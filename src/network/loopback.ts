import { CodedError } from '../lib/coded-error.ts';
import { createChannelPair } from './channel-pair.ts';
import type {
  Channel,
  ConnectionCounts,
  ForeignPeer,
  GossipVerdict,
  OpenOptions,
  ProtocolLimits,
  Underlay,
  UnderlayListener,
} from './underlay.ts';

interface Handler {
  readonly limits: ProtocolLimits;
  readonly handle: (channel: Channel) => void;
  openChannels: number;
}

/**
 * An underlay on which this node can also reach itself, which libp2p cannot: the same frames, checks and limits,
 * carried in memory.
 */
class Loopback implements Underlay {
  readonly #underlay: Underlay;
  readonly #handlers = new Map<string, Handler>();
  readonly #validators = new Map<string, (from: string, message: Uint8Array) => GossipVerdict>();
  readonly #channels = new Set<Channel>();

  constructor(underlay: Underlay) {
    this.#underlay = underlay;
  }

  get self(): string {
    return this.#underlay.self;
  }

  get maxGossipBytes(): number {
    return this.#underlay.maxGossipBytes;
  }

  start(): Promise<void> {
    return this.#underlay.start();
  }

  async stop(): Promise<void> {
    for (const channel of this.#channels) channel.abort();
    await this.#underlay.stop();
  }

  subscribe(topic: string, validate: (from: string, message: Uint8Array) => GossipVerdict): void {
    this.#validators.set(topic, validate);
    this.#underlay.subscribe(topic, validate);
  }

  publish(topic: string, message: Uint8Array): Promise<void> {
    const validate = this.#validators.get(topic);
    if (validate !== undefined && message.length <= this.maxGossipBytes) {
      queueMicrotask(() => validate(this.self, message));
    }
    return this.#underlay.publish(topic, message);
  }

  subscribers(topic: string): readonly string[] {
    return this.#underlay.subscribers(topic);
  }

  handle(protocol: string, limits: ProtocolLimits, handler: (channel: Channel) => void): void {
    this.#handlers.set(protocol, { limits, handle: handler, openChannels: 0 });
    this.#underlay.handle(protocol, limits, handler);
  }

  open(peer: string, protocol: string, limits: ProtocolLimits, options: OpenOptions): Promise<Channel> {
    if (peer !== this.self) return this.#underlay.open(peer, protocol, limits, options);
    return this.#openToSelf(protocol, limits);
  }

  async #openToSelf(protocol: string, limits: ProtocolLimits): Promise<Channel> {
    const handler = this.#handlers.get(protocol);
    if (handler === undefined) {
      throw new CodedError('PROTOCOL_UNSUPPORTED', 'This node does not serve the protocol.', {
        data: { protocol },
      });
    }
    const [near, far] = createChannelPair(
      { peer: this.self, maxFrameBytes: limits.maxFrameBytes },
      { peer: this.self, maxFrameBytes: handler.limits.maxFrameBytes },
      (_to, deliver) => queueMicrotask(deliver),
    );
    if (handler.openChannels >= Math.min(handler.limits.maxChannels, handler.limits.maxChannelsPerPeer)) {
      far.abort();
      return near;
    }
    handler.openChannels += 1;
    this.#channels.add(near);
    void far.ended.then(() => {
      handler.openChannels -= 1;
      this.#channels.delete(near);
    });
    queueMicrotask(() => handler.handle(far));
    return near;
  }

  meet(peer: string, peerRecord: Uint8Array): Promise<void> {
    return this.#underlay.meet(peer, peerRecord);
  }

  isConnected(peer: string): boolean {
    return peer === this.self || this.#underlay.isConnected(peer);
  }

  connectedPeers(): readonly string[] {
    return this.#underlay.connectedPeers();
  }

  addressesOf(peer: string): readonly string[] {
    return this.#underlay.addressesOf?.(peer) ?? [];
  }

  restrain(peer: string, goesOn: boolean): void {
    this.#underlay.restrain?.(peer, goesOn);
  }

  holdBack(peer: string, durationMs: number): void {
    this.#underlay.holdBack?.(peer, durationMs);
  }

  prefixOf(peer: string): string | undefined {
    return this.#underlay.prefixOf?.(peer);
  }

  isNamed(peer: string): boolean {
    return this.#underlay.isNamed?.(peer) ?? false;
  }

  roundTripMs(peer: string): number | undefined {
    return this.#underlay.roundTripMs?.(peer);
  }

  peerRecord(): Uint8Array {
    return this.#underlay.peerRecord();
  }

  connectionCounts(): ConnectionCounts {
    return this.#underlay.connectionCounts();
  }

  foreignPeers(): readonly ForeignPeer[] {
    return this.#underlay.foreignPeers();
  }

  multiaddrs(): readonly string[] {
    return this.#underlay.multiaddrs();
  }

  listen(listener: UnderlayListener): void {
    this.#underlay.listen(listener);
  }
}

export function withLoopback(underlay: Underlay): Underlay {
  return new Loopback(underlay);
}
