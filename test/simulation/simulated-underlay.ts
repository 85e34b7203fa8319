import { CodedError } from '../../src/lib/coded-error.ts';
import type {
  Channel,
  GossipVerdict,
  OpenOptions,
  ProtocolLimits,
  Underlay,
  UnderlayListener,
} from '../../src/network/underlay.ts';
import type { Incarnation } from './fake-clock.ts';
import type { SimulatedNetwork } from './simulated-network.ts';

interface Handler {
  readonly limits: ProtocolLimits;
  readonly handle: (channel: Channel) => void;
  /** Open channels by the peer that opened them. */
  readonly open: Map<string, number>;
}

type Validate = (from: string, message: Uint8Array) => GossipVerdict;

const MOST_SEEN = 100_000;

/** One node's side of the simulated network. */
export class SimulatedUnderlay implements Underlay {
  readonly self: string;
  readonly #network: SimulatedNetwork;
  readonly #life: Incarnation;
  readonly #handlers = new Map<string, Handler>();
  readonly #validators = new Map<string, Validate>();
  readonly #listeners: UnderlayListener[] = [];
  readonly #peers = new Set<string>();
  readonly #seen = new Set<string>();
  #started = false;

  constructor(self: string, network: SimulatedNetwork, life: Incarnation) {
    this.self = self;
    this.#network = network;
    this.#life = life;
  }

  get maxGossipBytes(): number {
    return this.#network.options.maxGossipBytes;
  }

  get alive(): boolean {
    return this.#life.alive;
  }

  get running(): boolean {
    return this.#started && this.alive;
  }

  async start(): Promise<void> {
    this.#started = true;
    this.#network.started(this);
  }

  async stop(): Promise<void> {
    if (!this.running) return;
    this.#network.stopped(this);
    this.#started = false;
    this.#peers.clear();
    this.end();
  }

  subscribe(topic: string, validate: Validate): void {
    this.#validators.set(topic, validate);
    if (this.running) this.#network.subscribed(this, topic);
  }

  async publish(topic: string, message: Uint8Array): Promise<void> {
    if (message.length > this.maxGossipBytes) {
      throw new CodedError('GOSSIP_TOO_LARGE', 'The message is over the limit of gossip.');
    }
    if (this.running) this.#network.spread(this, topic, message);
  }

  subscribers(topic: string): readonly string[] {
    return [...this.#peers].filter((peer) => this.#network.topicsOf(peer).includes(topic));
  }

  handle(protocol: string, limits: ProtocolLimits, handler: (channel: Channel) => void): void {
    this.#handlers.set(protocol, { limits, handle: handler, open: new Map() });
  }

  open(peer: string, protocol: string, limits: ProtocolLimits, options: OpenOptions): Promise<Channel> {
    return this.#network.open(this, peer, protocol, limits, options);
  }

  meet(peer: string, _peerRecord: Uint8Array): Promise<void> {
    return this.#network.meet(this, peer);
  }

  isConnected(peer: string): boolean {
    return this.#peers.has(peer);
  }

  connectedPeers(): readonly string[] {
    return [...this.#peers];
  }

  peerRecord(): Uint8Array {
    return new TextEncoder().encode(this.self);
  }

  connectionCounts(): ReturnType<Underlay['connectionCounts']> {
    return { inbound: 0, outbound: 0, refused: 0 };
  }

  foreignPeers(): readonly [] {
    return [];
  }

  multiaddrs(): readonly string[] {
    return [`/memory/p2p/${this.self}`];
  }

  listen(listener: UnderlayListener): void {
    this.#listeners.push(listener);
  }

  // ---- what the network does to it -------------------------------------------------------------------

  end(): void {
    this.#life.end();
  }

  connected(peer: string): void {
    if (!this.alive || this.#peers.has(peer)) return;
    this.#peers.add(peer);
    this.#notify((listener) => listener.peerConnected(peer));
    this.#topicsChanged(peer);
  }

  topicOf(peer: string, topic: string): void {
    if (this.alive && this.#peers.has(peer)) this.#notify((listener) => listener.subscribersChanged(topic));
  }

  disconnected(peer: string): void {
    if (!this.alive || !this.#peers.delete(peer)) return;
    this.#notify((listener) => listener.peerDisconnected(peer));
    this.#topicsChanged(peer);
  }

  topics(): readonly string[] {
    return [...this.#validators.keys()];
  }

  validatorOf(topic: string): Validate | undefined {
    return this.#validators.get(topic);
  }

  handlerOf(protocol: string): Handler | undefined {
    return this.#handlers.get(protocol);
  }

  /** Takes a place for one more channel of `peer`, until `ended`; false when there is none. */
  admits(protocol: string, peer: string, ended: Promise<void>): boolean {
    const handler = this.#handlers.get(protocol);
    if (handler === undefined) return false;
    const ofPeer = handler.open.get(peer) ?? 0;
    const total = [...handler.open.values()].reduce((sum, count) => sum + count, 0);
    if (ofPeer >= handler.limits.maxChannelsPerPeer || total >= handler.limits.maxChannels) return false;
    handler.open.set(peer, ofPeer + 1);
    void ended.then(() => handler.open.set(peer, (handler.open.get(peer) ?? 1) - 1));
    return true;
  }

  /** False for a gossip message that came before. */
  firstSight(id: string): boolean {
    if (this.#seen.has(id)) return false;
    this.#seen.add(id);
    for (const oldest of this.#seen) {
      if (this.#seen.size <= MOST_SEEN) break;
      this.#seen.delete(oldest);
    }
    return true;
  }

  /** A promise of this node: once the node is gone it never settles. */
  whileAlive<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      work.then(
        (value) => {
          if (this.alive) resolve(value);
        },
        (error: unknown) => {
          if (this.alive) reject(error);
        },
      );
    });
  }

  /** A channel that says nothing any more once the node is gone. */
  guarded(channel: Channel): Channel {
    return {
      peer: channel.peer,
      send: (frame) => this.whileAlive(this.alive ? channel.send(frame) : channel.ended),
      receive: () => this.whileAlive(channel.receive()),
      close: () => this.whileAlive(this.alive ? channel.close() : channel.ended),
      abort: () => {
        if (this.alive) channel.abort();
      },
      ended: this.whileAlive(channel.ended),
    };
  }

  #topicsChanged(peer: string): void {
    for (const topic of this.#network.topicsOf(peer))
      this.#notify((listener) => listener.subscribersChanged(topic));
  }

  #notify(tell: (listener: UnderlayListener) => void): void {
    for (const listener of this.#listeners) tell(listener);
  }
}
