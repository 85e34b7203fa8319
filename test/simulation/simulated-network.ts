import { createHash } from 'node:crypto';
import type { Clock } from '../../src/lib/clock.ts';
import { CodedError } from '../../src/lib/coded-error.ts';
import { createChannelPair, type PairedChannel } from '../../src/network/channel-pair.ts';
import type { Channel, OpenOptions, ProtocolLimits, Underlay } from '../../src/network/underlay.ts';
import type { FakeClock, Incarnation, WallClock } from './fake-clock.ts';
import type { SeededRandom } from './seeded-random.ts';
import { SimulatedUnderlay } from './simulated-underlay.ts';

export interface SimulatedNetworkOptions {
  /** One way, for each frame and message. */
  readonly latencyMs: readonly [least: number, most: number];
  /** Chance that a hop of gossip is lost, and that it is validated a second time later. */
  readonly gossipLoss: number;
  readonly gossipRepeat: number;
  /** Further delay of a hop of gossip, up to this: what makes messages overtake each other. */
  readonly gossipJitterMs: number;
  /** Neighbours that a node passes gossip on to. */
  readonly gossipDegree: number;
  /** Chance that a frame breaks its channel. */
  readonly channelBreak: number;
  /** How long until the others notice that a node or a connection has gone. */
  readonly breakDetectionMs: number;
  /** Nodes connect with all others as they start; otherwise only by `connect` and by dialling. */
  readonly connectAll: boolean;
  readonly maxGossipBytes: number;
}

const DEFAULTS: SimulatedNetworkOptions = {
  latencyMs: [5, 20],
  gossipLoss: 0,
  gossipRepeat: 0,
  gossipJitterMs: 0,
  gossipDegree: 6,
  channelBreak: 0,
  breakDetectionMs: 1000,
  connectAll: true,
  maxGossipBytes: 4096,
};

/** One life of one node: from `node` until it stops or crashes. */
export interface SimulatedNode {
  readonly underlay: Underlay;
  /** Stops with the node. */
  readonly clock: Clock;
  /** Its channels break for the others after a while, its timers never fire, its promises never settle. */
  crash(): void;
}

interface Link {
  readonly ends: readonly [PairedChannel, PairedChannel];
  readonly nodes: readonly [SimulatedUnderlay, SimulatedUnderlay];
}

/** Many nodes in one process on one fake clock. The same seed and the same calls give the same history. */
export class SimulatedNetwork {
  readonly options: SimulatedNetworkOptions;
  readonly #clock: FakeClock;
  readonly #random: SeededRandom;
  readonly #nodes = new Map<string, SimulatedUnderlay>();
  readonly #links = new Set<Link>();
  /** Crashes that the neighbours have still to notice; a new life of the node makes them notice. */
  readonly #unnoticed = new Map<string, () => void>();
  /** Channels that are being opened to a node that is not there, until somebody notices or the time is over. */
  readonly #hanging = new Map<string, Set<() => void>>();
  #groups = new Map<string, number>();

  constructor(clock: FakeClock, random: SeededRandom, options: Partial<SimulatedNetworkOptions> = {}) {
    this.#clock = clock;
    this.#random = random;
    this.options = { ...DEFAULTS, ...options };
  }

  /** A new life of `peer`; the one before must have stopped or crashed. */
  node(peer: string, wall: WallClock = { offsetMs: 0 }): SimulatedNode {
    if (this.#nodes.get(peer)?.alive === true) throw new Error(`${peer} is still running`);
    const life: Incarnation = this.#clock.incarnation(wall);
    const underlay = new SimulatedUnderlay(peer, this, life);
    this.#nodes.set(peer, underlay);
    return { underlay, clock: life.clock, crash: () => this.#crash(underlay) };
  }

  /** Peers in different groups, and peers in no group from those in one, hear nothing of each other. */
  partition(...groups: readonly (readonly string[])[]): void {
    this.#groups = new Map(groups.flatMap((group, index) => group.map((peer) => [peer, index + 1] as const)));
    this.#later(this.options.breakDetectionMs, () => this.#dropCutConnections());
  }

  heal(): void {
    this.#groups.clear();
    const running = [...this.#nodes.values()].filter((node) => node.running);
    this.#later(this.options.breakDetectionMs, () => {
      if (!this.options.connectAll) return;
      for (const [index, a] of running.entries()) for (const b of running.slice(index + 1)) this.join(a, b);
    });
  }

  connect(a: string, b: string): void {
    const left = this.#nodes.get(a);
    const right = this.#nodes.get(b);
    if (left !== undefined && right !== undefined) this.join(left, right);
  }

  /** Breaks every channel between the two at once; their connection stays. */
  breakChannels(a: string, b: string): void {
    for (const link of this.#links) {
      const peers = link.nodes.map((node) => node.self);
      if (peers.includes(a) && peers.includes(b)) this.#break(link);
    }
  }

  openChannels(): number {
    return this.#links.size;
  }

  // ---- what the underlays ask of it ------------------------------------------------------------------

  started(node: SimulatedUnderlay): void {
    this.#unnoticed.get(node.self)?.();
    if (!this.options.connectAll) return;
    for (const other of this.#nodes.values()) if (other !== node) this.join(node, other);
  }

  /** A stop that the others are told of. */
  stopped(node: SimulatedUnderlay): void {
    for (const link of this.#links) if (link.nodes.includes(node)) this.#break(link);
    for (const peer of node.connectedPeers()) this.#nodes.get(peer)?.disconnected(node.self);
  }

  join(a: SimulatedUnderlay, b: SimulatedUnderlay): void {
    if (!a.running || !b.running || this.#cut(a.self, b.self) || a.isConnected(b.self)) return;
    a.connected(b.self);
    b.connected(a.self);
  }

  /** A node that is connected already listens on one more topic. */
  subscribed(node: SimulatedUnderlay, topic: string): void {
    for (const peer of node.connectedPeers()) this.#nodes.get(peer)?.topicOf(node.self, topic);
  }

  topicsOf(peer: string): readonly string[] {
    return this.#nodes.get(peer)?.topics() ?? [];
  }

  /** From the publisher to all its subscribed neighbours, from the others to some. */
  spread(from: SimulatedUnderlay, topic: string, message: Uint8Array, except?: string): void {
    const neighbours = from.subscribers(topic).filter((peer) => peer !== except);
    const next = except === undefined ? neighbours : this.#random.pick(neighbours, this.options.gossipDegree);
    const id = createHash('sha256').update(message).digest('hex');
    for (const peer of next) {
      if (this.#random.chance(this.options.gossipLoss)) continue;
      this.#hop(from.self, peer, topic, message, id);
      if (this.#random.chance(this.options.gossipRepeat)) this.#hop(from.self, peer, topic, message);
    }
  }

  meet(from: SimulatedUnderlay, to: string): Promise<void> {
    return from.whileAlive(
      new Promise((resolve, reject) => {
        this.#later(this.#latencyMs(), () => {
          const target = this.#nodes.get(to);
          if (!from.alive || target === undefined || !target.running || this.#cut(from.self, to)) {
            reject(new CodedError('PEER_UNREACHABLE', `${to} cannot be reached.`));
            return;
          }
          this.join(from, target);
          resolve();
        });
      }),
    );
  }

  open(
    from: SimulatedUnderlay,
    to: string,
    protocol: string,
    limits: ProtocolLimits,
    options: OpenOptions,
  ): Promise<Channel> {
    return from.whileAlive(
      new Promise((resolve, reject) => {
        const unreachable = (): void =>
          reject(new CodedError('PEER_UNREACHABLE', `${to} cannot be reached.`));
        const connected = from.isConnected(to);
        if (!connected && options.peerRecord === undefined) {
          unreachable();
          return;
        }
        const target = this.#nodes.get(to);
        if (target === undefined || !target.running || this.#cut(from.self, to)) {
          if (connected) this.#hang(to, options.timeoutMs, unreachable);
          else this.#later(this.#latencyMs(), unreachable);
          return;
        }
        this.#later(this.#latencyMs(), () => {
          if (!from.alive || !target.running || this.#cut(from.self, to)) {
            this.#hang(to, options.timeoutMs, unreachable);
            return;
          }
          this.join(from, target);
          const channel = this.#accept(from, target, protocol, limits);
          this.#later(this.#latencyMs(), () => {
            if (channel === undefined)
              reject(new CodedError('PROTOCOL_UNSUPPORTED', `${to} does not serve ${protocol}.`));
            else resolve(channel);
          });
        });
      }),
    );
  }

  #hang(to: string, timeoutMs: number, fail: () => void): void {
    const hanging = this.#hanging.get(to) ?? new Set();
    this.#hanging.set(to, hanging.add(fail));
    this.#later(timeoutMs, () => {
      if (hanging.delete(fail)) fail();
    });
  }

  #accept(
    from: SimulatedUnderlay,
    target: SimulatedUnderlay,
    protocol: string,
    limits: ProtocolLimits,
  ): Channel | undefined {
    const handler = target.handlerOf(protocol);
    if (handler === undefined) return undefined;
    const dueMs = new Map<string, number>();
    const ends = createChannelPair(
      { peer: from.self, maxFrameBytes: limits.maxFrameBytes },
      { peer: target.self, maxFrameBytes: handler.limits.maxFrameBytes },
      (to, deliver) => {
        const [sender, receiver] = to === target.self ? [from, target] : [target, from];
        if (!sender.alive) return;
        if (this.#cut(from.self, target.self)) {
          this.#later(this.options.breakDetectionMs, () => this.#break(link));
          return;
        }
        if (this.#random.chance(this.options.channelBreak))
          this.#later(this.#latencyMs(), () => this.#break(link));
        const arrivalMs = this.#clock.monotonicMs() + this.#latencyMs();
        const atMs = Math.max(arrivalMs, dueMs.get(to) ?? 0);
        dueMs.set(to, atMs);
        this.#later(atMs - this.#clock.monotonicMs(), () => {
          if (this.#cut(from.self, target.self))
            this.#later(this.options.breakDetectionMs, () => this.#break(link));
          else if (receiver.alive) deliver();
        });
      },
    );
    const link: Link = { ends, nodes: [from, target] };
    this.#links.add(link);
    void Promise.all(ends.map((end) => end.ended)).then(() => this.#links.delete(link));
    const [near, far] = ends;
    if (target.admits(protocol, from.self, far.ended)) handler.handle(target.guarded(far));
    else far.abort();
    return from.guarded(near);
  }

  #hop(from: string, to: string, topic: string, message: Uint8Array, id?: string): void {
    const delayMs = this.#latencyMs() + this.#random.between(0, this.options.gossipJitterMs);
    this.#later(delayMs, () => {
      const node = this.#nodes.get(to);
      if (node === undefined || !node.running || this.#cut(from, to)) return;
      if (id !== undefined && !node.firstSight(id)) return;
      if (node.validatorOf(topic)?.(from, message) === 'accept' && id !== undefined) {
        this.spread(node, topic, message, from);
      }
    });
  }

  #crash(node: SimulatedUnderlay): void {
    const neighbours = node.connectedPeers().map((peer) => this.#nodes.get(peer));
    node.end();
    const notice = (): void => {
      if (this.#unnoticed.get(node.self) !== notice) return;
      this.#unnoticed.delete(node.self);
      for (const link of this.#links) if (link.nodes.includes(node)) this.#break(link);
      for (const neighbour of neighbours) neighbour?.disconnected(node.self);
      for (const fail of this.#hanging.get(node.self) ?? []) fail();
      this.#hanging.delete(node.self);
    };
    this.#unnoticed.set(node.self, notice);
    this.#later(this.options.breakDetectionMs, notice);
  }

  #dropCutConnections(): void {
    for (const link of this.#links) {
      if (this.#cut(link.nodes[0].self, link.nodes[1].self)) this.#break(link);
    }
    for (const node of this.#nodes.values()) {
      for (const peer of node.connectedPeers()) if (this.#cut(node.self, peer)) node.disconnected(peer);
    }
  }

  #break(link: Link): void {
    this.#links.delete(link);
    for (const [index, end] of link.ends.entries()) if (link.nodes[index]?.alive === true) end.reset();
  }

  #cut(a: string, b: string): boolean {
    return this.#groups.get(a) !== this.#groups.get(b);
  }

  #latencyMs(): number {
    return this.#random.between(...this.options.latencyMs);
  }

  #later(delayMs: number, act: () => void): void {
    this.#clock.after(delayMs, act);
  }
}
