import type {
  Channel,
  GossipVerdict,
  OpenOptions,
  ProtocolLimits,
  Underlay,
  UnderlayListener,
} from '../../src/network/underlay.ts';

/** A node's end of the network that a scenario can disturb. What is not disturbed goes through unchanged. */
export class ScriptedUnderlay implements Underlay {
  readonly #inner: Underlay;
  #silent = false;
  #gossips = true;
  #vanished = false;
  #vanishesAt: string | undefined;
  #alterIncoming: ((frame: Uint8Array) => Uint8Array) | undefined;
  #alterOutgoing: ((frame: Uint8Array) => Uint8Array) | undefined;

  constructor(inner: Underlay) {
    this.#inner = inner;
  }

  /** From now on nothing that this node says on a channel it opened leaves it; its connections stay up. */
  fallSilent(): void {
    this.#silent = true;
  }

  /** From now on gossip of this node, its adverts with it, reaches nobody. */
  stopGossip(): void {
    this.#gossips = false;
  }

  /** From now on this node is as good as gone, and nobody notices: connections stay, and nothing more comes on them. */
  vanish(): void {
    this.#silent = true;
    this.#gossips = false;
    this.#vanished = true;
  }

  /** As {@link ScriptedUnderlay.vanish}, when another node opens a channel of a protocol whose id has this in it. */
  vanishAt(protocol: string): void {
    this.#vanishesAt = protocol;
  }

  /** Undoes what was done to this end. */
  restore(): void {
    this.#silent = false;
    this.#gossips = true;
    this.#vanished = false;
    this.#vanishesAt = undefined;
    this.#alterIncoming = undefined;
    this.#alterOutgoing = undefined;
  }

  /** Changes what comes in on channels that this node opened. */
  alterIncoming(alter: (frame: Uint8Array) => Uint8Array): void {
    this.#alterIncoming = alter;
  }

  /** Changes what this node says on channels that it opened. */
  alterOutgoing(alter: (frame: Uint8Array) => Uint8Array): void {
    this.#alterOutgoing = alter;
  }

  get self(): string {
    return this.#inner.self;
  }

  get maxGossipBytes(): number {
    return this.#inner.maxGossipBytes;
  }

  start(): Promise<void> {
    return this.#inner.start();
  }

  stop(): Promise<void> {
    return this.#inner.stop();
  }

  subscribe(topic: string, validate: (from: string, message: Uint8Array) => GossipVerdict): void {
    this.#inner.subscribe(topic, validate);
  }

  publish(topic: string, message: Uint8Array): Promise<void> {
    return this.#gossips ? this.#inner.publish(topic, message) : Promise.resolve();
  }

  subscribers(topic: string): readonly string[] {
    return this.#inner.subscribers(topic);
  }

  handle(protocol: string, limits: ProtocolLimits, handler: (channel: Channel) => void): void {
    this.#inner.handle(protocol, limits, (channel) => {
      if (this.#vanishesAt !== undefined && protocol.includes(this.#vanishesAt)) this.vanish();
      handler(this.#served(channel));
    });
  }

  async open(peer: string, protocol: string, limits: ProtocolLimits, options: OpenOptions): Promise<Channel> {
    return this.#disturbed(await this.#inner.open(peer, protocol, limits, options));
  }

  meet(peer: string, peerRecord: Uint8Array): Promise<void> {
    return this.#inner.meet(peer, peerRecord);
  }

  isConnected(peer: string): boolean {
    return this.#inner.isConnected(peer);
  }

  connectedPeers(): readonly string[] {
    return this.#inner.connectedPeers();
  }

  peerRecord(): Uint8Array {
    return this.#inner.peerRecord();
  }

  connectionCounts(): ReturnType<Underlay['connectionCounts']> {
    return this.#inner.connectionCounts();
  }

  foreignPeers(): ReturnType<Underlay['foreignPeers']> {
    return this.#inner.foreignPeers();
  }

  multiaddrs(): readonly string[] {
    return this.#inner.multiaddrs();
  }

  listen(listener: UnderlayListener): void {
    this.#inner.listen(listener);
  }

  /** A channel that another node opened. */
  #served(channel: Channel): Channel {
    return {
      peer: channel.peer,
      ended: channel.ended,
      send: (frame) => (this.#vanished ? Promise.resolve() : channel.send(frame)),
      receive: () => channel.receive(),
      close: () => (this.#vanished ? Promise.resolve() : channel.close()),
      abort: () => {
        if (!this.#vanished) channel.abort();
      },
    };
  }

  #disturbed(channel: Channel): Channel {
    return {
      peer: channel.peer,
      ended: channel.ended,
      send: (frame) =>
        this.#silent ? Promise.resolve() : channel.send(this.#alterOutgoing?.(frame) ?? frame),
      receive: async () => {
        const frame = await channel.receive();
        return frame === undefined || this.#alterIncoming === undefined ? frame : this.#alterIncoming(frame);
      },
      close: () => channel.close(),
      abort: () => channel.abort(),
    };
  }
}
