import type { Connection, PeerInfo } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import type {
  Channel,
  ConnectionCounts,
  ForeignPeer,
  OpenOptions,
  ProtocolLimits,
  UnderlayListener,
} from '../underlay.ts';
import { BootstrapLinks } from './bootstrap-links.ts';
import { Connections } from './connections.ts';
import { DialPolicy } from './dial-policy.ts';
import { Dialer } from './dialer.ts';
import { DiscoveredPeers } from './discovery.ts';
import { GossipRepair } from './gossip-repair.ts';
import { GossipTopics } from './gossip-topics.ts';
import { protocolNames } from '../names.ts';
import { ForeignPeers } from './foreign-peers.ts';
import { createHost, type Host, stopHost } from './host.ts';
import { InboundGate } from './inbound-gate.ts';
import { listenFailed } from './listen-failure.ts';
import { LiveChannels, unreachable } from './live-channels.ts';
import { OwnRecord } from './own-record.ts';
import { machineAddresses, ownScope } from './own-scope.ts';
import { NamedPeers } from './named-peers.ts';
import { PeerTags } from './peer-tags.ts';
import { RememberedPeers } from './remembered-peers.ts';
import type { RunContext, Validate } from './run-context.ts';
import { Traffic } from './traffic.ts';
import { UnreadBytes } from './unread-bytes.ts';

/** One life of the transport, from start to stop. */
export class Libp2pRun {
  readonly connections: Connections;
  readonly traffic: Traffic;
  readonly named: NamedPeers;
  readonly #context: RunContext;
  readonly #host: Host;
  readonly #policy: DialPolicy;
  readonly #topics: GossipTopics;
  readonly #dialer: Dialer;
  readonly #links: BootstrapLinks;
  readonly #discovered: DiscoveredPeers;
  readonly #repair: GossipRepair;
  readonly #remembered: RememberedPeers;
  readonly #tags: PeerTags;
  readonly #channels: LiveChannels;
  readonly #ownRecord: OwnRecord;
  readonly #foreign: ForeignPeers;
  readonly #inbound: InboundGate;
  #stopping = false;

  /** Rejects with `LISTEN_FAILED`; nothing is left running then. */
  static async start(context: RunContext): Promise<Libp2pRun> {
    const { limits } = context.options;
    const inbound = new InboundGate(limits, context.clock, context.logger);
    const policy = new DialPolicy(limits, context.clock, () => run.#scope());
    const traffic = new Traffic({
      ...limits,
      clock: context.clock,
      connectionsOf: (peer) => run.connections.of(peer),
      letGo: ({ remoteAddr }) => inbound.letGo(remoteAddr),
      workedEarly: (address, workMs) => inbound.worked(address, workMs),
      worked: (peer, workMs) => run.#notify((listener) => listener.worked?.(peer, workMs)),
      faulted: (peer, code) => run.#notify((listener) => listener.faulted?.(peer, code)),
    });
    const host = await createHost(context.options, {
      ...context,
      topics: [...context.topics.keys()],
      inbound,
      traffic,
      denyDial: (address) => policy.denies(address),
      denyPeer: (peer) => traffic.isShunned(peer),
      isUnread: (connection, sinceMs) => traffic.isUnread(connection, sinceMs),
      foundLocally: (peer) => run.foundLocally(peer),
    });
    const run: Libp2pRun = new Libp2pRun(context, host, policy, inbound, traffic);
    await run.#begin();
    return run;
  }

  private constructor(
    context: RunContext,
    host: Host,
    policy: DialPolicy,
    inbound: InboundGate,
    traffic: Traffic,
  ) {
    const { clock, logger, options, self } = context;
    const isConnected = (peer: string): boolean => this.connections.has(peer);
    this.connections = new Connections((peer) => host.getConnections(peer));
    this.#context = context;
    this.#host = host;
    this.#policy = policy;
    this.#inbound = inbound;
    this.traffic = traffic;
    this.named = new NamedPeers(context.bootstrap);
    this.#tags = new PeerTags(host.peerStore, clock);
    this.#channels = this.#newChannels();
    this.#ownRecord = new OwnRecord({ ...context, addresses: () => host.getMultiaddrs() });
    this.#foreign = new ForeignPeers({
      network: options.network,
      protocols: new Set(Object.values(protocolNames(options.network))),
      logger,
      isNamed: (peer) => this.named.has(peer),
    });
    this.#remembered = new RememberedPeers(options.limits.maxRememberedPeers, {
      peerStore: host.peerStore,
      isConnected,
    });
    this.#topics = new GossipTopics(host.services.pubsub, {
      maxGossipBytes: options.limits.maxGossipBytes,
      clock,
      logger,
      isConnected,
      subscribersChanged: (topic) => this.#notify((listener) => listener.subscribersChanged(topic)),
    });
    this.#dialer = new Dialer(options.limits, {
      clock,
      policy,
      dial: (address, signal) => host.dial(address, { signal }),
      routing: options.kadDht === 'off' ? undefined : host.peerRouting,
    });
    this.#links = new BootstrapLinks(context.bootstrap, {
      self,
      clock,
      logger,
      isConnected,
      dial: (address, signal) => this.#dialBootstrap(address, signal),
    });
    this.#discovered = new DiscoveredPeers({
      self,
      targetPeers: options.limits.targetPeers,
      maxAddressesDialled: options.limits.maxAddressesDialled,
      logger,
      isConnected,
      connectedCount: () => this.connections.size,
      dial: (addresses) => policy.exempting(addresses, () => host.dial([...addresses])),
    });
    this.#repair = new GossipRepair({
      clock,
      identify: host.services.identify,
      connections: () => host.getConnections(),
      isReachable: (peer) => this.#topics.isReachable(peer),
      repaired: (peer) => this.#topics.awaitReachable(peer),
    });
  }

  #newChannels(): LiveChannels {
    return new LiveChannels({
      ...this.#context,
      unread: new UnreadBytes(
        this.#context.options.limits,
        (peer) => !this.traffic.hasAnswered(peer) && !this.named.has(peer),
      ),
      faulted: (peer, code) => this.#notify((listener) => listener.faulted?.(peer, code)),
      isUnread: (connection, sinceMs) => this.traffic.isUnread(connection, sinceMs),
      later: (connection, run) => this.traffic.later(connection, run),
      opened: (id) => this.#tags.partner(id),
      answered: (peer) => this.traffic.answered(peer),
    });
  }

  addTopic(topic: string, validate: Validate): void {
    this.#topics.validate(topic, validate);
    this.#topics.listen(topic);
  }

  publish(topic: string, message: Uint8Array): Promise<void> {
    return this.#topics.publish(topic, message);
  }

  subscribers(topic: string): string[] {
    return this.#topics.subscribers(topic);
  }

  connectionCounts(): ConnectionCounts {
    return { ...this.connections.counts(), refused: this.#inbound.refusedInTotal };
  }

  foreignPeers(): readonly ForeignPeer[] {
    return this.#foreign.list();
  }

  peerRecord(): Uint8Array {
    return this.#ownRecord.bytes;
  }

  ownAddresses(): Multiaddr[] {
    return this.#host.getMultiaddrs();
  }

  #scope(): ReturnType<typeof ownScope> {
    return ownScope({
      addresses: this.ownAddresses(),
      farEnds: () => this.connections.farEnds(),
      interfaces: machineAddresses,
    });
  }

  foundLocally(peer: PeerInfo): void {
    this.#discovered.found(peer);
  }

  async open(peer: string, protocol: string, limits: ProtocolLimits, options: OpenOptions): Promise<Channel> {
    const { clock } = this.#context;
    if (this.traffic.isShunned(peer)) throw unreachable(peer, 'it sent too much and is let go for a while');
    const untilMs = clock.monotonicMs() + options.timeoutMs;
    let connection = this.connections.newestOf(peer);
    if (connection === undefined) {
      if (options.peerRecord === undefined || peer === this.#context.self)
        throw unreachable(peer, 'not connected');
      connection = await this.#dialer.connect(peer, options.peerRecord, options);
    }
    return this.#channels.open(connection, protocol, limits, untilMs - clock.monotonicMs());
  }

  async meet(peer: string, peerRecord: Uint8Array): Promise<void> {
    const { limits } = this.#context.options;
    if (peer === this.#context.self || this.connections.has(peer) || this.traffic.isShunned(peer)) return;
    if (this.connections.size >= limits.targetPeers) return;
    const timeoutMs = limits.maxAddressesDialled * limits.addressDialTimeoutMs;
    // Adverts are anybody's word.
    await this.#dialer.connect(peer, peerRecord, { timeoutMs, forStranger: true });
  }

  /** Open channels are dropped rather than closed: a conversation that ends here has not come to its end. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#links.stop();
    this.#dialer.stop();
    this.#repair.stop();
    this.traffic.stop();
    this.#topics.stop();
    this.#channels.abortAll();
    await stopHost(this.#host);
    this.connections.clear();
  }

  async #begin(): Promise<void> {
    const { handlers, topics } = this.#context;
    this.#watchHost();
    for (const [topic, validate] of topics) this.#topics.validate(topic, validate);
    for (const [protocol, handler] of handlers) await this.#channels.serve(this.#host, protocol, handler);
    try {
      await this.#host.start();
    } catch (error) {
      await this.stop();
      throw listenFailed(this.#context.options.listen, error);
    }
    for (const topic of topics.keys()) this.#topics.listen(topic);
    await this.#ownRecord.refresh();
    this.#links.start();
    this.#repair.start();
  }

  #watchHost(): void {
    const host = this.#host;
    host.addEventListener('connection:open', ({ detail }) => this.traffic.opened(detail));
    host.addEventListener('peer:connect', ({ detail: id }) => {
      const peer = id.toString();
      this.connections.connected(id);
      this.#remembered.connected(id);
      this.#notify((listener) => listener.peerConnected(peer));
    });
    host.addEventListener('peer:disconnect', ({ detail: id }) => {
      const peer = id.toString();
      this.connections.disconnected(id);
      this.#remembered.away(id);
      this.#topics.peerDisconnected(peer);
      this.#links.peerDisconnected(peer);
      this.#foreign.gone(peer);
      this.#notify((listener) => listener.peerDisconnected(peer));
    });
    host.addEventListener('peer:identify', ({ detail: { peerId, protocols } }) => {
      const peer = peerId.toString();
      if (this.connections.has(peer)) this.#foreign.identified(peer, protocols);
    });
    host.addEventListener('peer:discovery', ({ detail: info }) => this.#onDiscovered(info));
    host.addEventListener('self:peer:update', () => void this.#ownRecord.refresh());
  }

  #onDiscovered(info: PeerInfo): void {
    if (!this.connections.has(info.id.toString())) this.#remembered.away(info.id);
  }

  #notify(tell: (listener: UnderlayListener) => void): void {
    if (this.#stopping) return;
    for (const listener of this.#context.listeners) tell(listener);
  }

  async #dialBootstrap(address: Multiaddr, signal: AbortSignal): Promise<Connection> {
    const connection = await this.#policy.exempting([address], () => this.#host.dial(address, { signal }));
    this.named.answered(address, connection.remotePeer);
    this.#tags.bootstrap(connection.remotePeer);
    return connection;
  }
}
