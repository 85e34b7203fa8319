import { type GossipSub, gossipsub } from '@libp2p/gossipsub';
import { type Identify, identify } from '@libp2p/identify';
import type { Connection, ConnectionProtector, Ed25519PrivateKey, Libp2p, PeerInfo } from '@libp2p/interface';
import type { KadDHT } from '@libp2p/kad-dht';
import { type Ping, ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import type { Multiaddr } from '@multiformats/multiaddr';
import { createLibp2p, type Libp2pOptions as Libp2pInit } from 'libp2p';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { addressLookup, localDiscovery } from './discovery.ts';
import { sparingNoise } from './frame-lengths.ts';
import { gossipSettings } from './gossip-settings.ts';
import type { InboundGate } from './inbound-gate.ts';
import { KeepAlive } from './keep-alive.ts';
import { bridgeLogs } from './log-bridge.ts';
import type { Libp2pLimits, Libp2pOptions } from './options.ts';
import { type Pace, paceMuxer } from './paced-muxer.ts';
import { sparingYamux } from './window-updates.ts';

/** How long a peer may take over the choice of a protocol. Gossipsub opens its streams one after the other. */
const NEGOTIATION_TIMEOUT_MS = 3000;
const UPGRADE_TIMEOUT_MS = 10_000;
const MAX_UNREAD_STREAM_BYTES = 4 * 1024 * 1024;
const MAX_PARALLEL_DIALS = 50;
const MAX_GOSSIP_STREAMS = 4;

export interface HostServices extends Record<string, unknown> {
  readonly identify: Identify;
  readonly ping: Ping;
  readonly keepAlive: KeepAlive;
  readonly pubsub: GossipSub;
}

export type Host = Libp2p<HostServices>;
export type Transports = NonNullable<Libp2pInit['transports']>;

export interface HostNeeds {
  readonly privateKey: Ed25519PrivateKey;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly transports: Transports | undefined;
  readonly topics: readonly string[];
  readonly inbound: Pick<InboundGate, 'denies' | 'shookHands'>;
  /** What stands below the encryption of each connection, and paces what is above it. */
  readonly traffic: ConnectionProtector & Pace;
  denyDial(address: Multiaddr): boolean;
  denyPeer(peer: string): boolean;
  isUnread(connection: Connection, sinceMs: number): boolean;
  foundLocally(peer: PeerInfo): void;
}

function connectionSettings(
  limits: Libp2pLimits,
): Pick<Libp2pInit, 'connectionManager' | 'connectionMonitor'> {
  return {
    connectionManager: {
      maxConnections: limits.maxConnections,
      // `inboundPerPrefix` bounds it, which lasts longer than a second.
      inboundConnectionThreshold: limits.inboundPerPrefix.burst,
      maxIncomingPendingConnections: limits.maxPendingInboundConnections,
      maxParallelDials: MAX_PARALLEL_DIALS,
      maxPeerAddrsToDial: limits.maxAddressesDialled,
      addressDialTimeout: limits.addressDialTimeoutMs,
      dialTimeout: limits.addressDialTimeoutMs * limits.maxAddressesDialled,
      inboundUpgradeTimeout: UPGRADE_TIMEOUT_MS,
      inboundStreamProtocolNegotiationTimeout: NEGOTIATION_TIMEOUT_MS,
      outboundStreamProtocolNegotiationTimeout: NEGOTIATION_TIMEOUT_MS,
      // Links that must last are kept by `bootstrap-links.ts`.
      reconnectRetries: 0,
    },
    // In its place stands `keep-alive.ts`.
    connectionMonitor: { enabled: false },
  };
}

function multiplexer(limits: Libp2pLimits, pace: Pace): ReturnType<typeof sparingYamux> {
  const { maxStreamsPerConnection, streamWindowBytes } = limits;
  return sparingYamux(
    {
      maxInboundStreams: maxStreamsPerConnection,
      maxOutboundStreams: maxStreamsPerConnection,
      streamOptions: {
        maxStreamWindowSize: streamWindowBytes,
        maxReadBufferLength: MAX_UNREAD_STREAM_BYTES,
      },
    },
    (muxer, connection) => paceMuxer(muxer, connection, streamWindowBytes, pace),
  );
}

/** A libp2p node with our settings, not started. */
export async function createHost(options: Libp2pOptions, needs: HostNeeds): Promise<Host> {
  const { limits, kadDht, network } = options;
  const lookup = kadDht === 'off' ? undefined : await addressLookup(network, kadDht);
  const discovery = options.mdns
    ? await localDiscovery(network, (peer) => needs.foundLocally(peer))
    : undefined;
  return createLibp2p<HostServices & { dht?: KadDHT }>({
    start: false,
    privateKey: needs.privateKey,
    nodeInfo: { name: 'bidmesh', userAgent: 'bidmesh' },
    logger: bridgeLogs(options.libp2pLogs ? needs.logger : undefined),
    addresses: { listen: [...options.listen], announce: [...options.announce] },
    transports: needs.transports ?? [tcp()],
    connectionProtector: () => needs.traffic,
    connectionEncrypters: [sparingNoise()],
    streamMuxers: [multiplexer(limits, needs.traffic)],
    connectionGater: {
      denyDialMultiaddr: (address) => needs.denyDial(address),
      denyInboundConnection: (connection) => needs.inbound.denies(connection),
      denyInboundEncryptedConnection: (peer, { remoteAddr }) => {
        needs.inbound.shookHands(remoteAddr);
        return needs.denyPeer(peer.toString());
      },
    },
    ...connectionSettings(limits),
    peerDiscovery: discovery === undefined ? [] : [discovery],
    services: {
      identify: identify(),
      ping: ping(),
      keepAlive: (components) => new KeepAlive(components, needs),
      pubsub: gossipsub({
        ...gossipSettings({ topics: needs.topics, peerExchange: options.peerExchange, limits }),
        maxInboundStreams: MAX_GOSSIP_STREAMS,
        maxOutboundStreams: MAX_GOSSIP_STREAMS,
      }),
      ...(lookup === undefined ? {} : { dht: lookup }),
    },
  });
}

/** Stops the node, and the timers that libp2p forgets: they would keep a process alive up to a second longer. */
export async function stopHost(host: Host): Promise<void> {
  const heartbeat = readPath(host.services.pubsub, 'status', 'heartbeatTimeout');
  await host.stop();
  call(heartbeat, Symbol.dispose);
  call(readPath(host, 'components', 'addressManager', '_updatePeerStoreAddresses'), 'stop');
}

/** Members that the types do not show; `undefined` where a version of the library has them no more. */
function readPath(start: unknown, ...keys: readonly string[]): unknown {
  return keys.reduce((value, key) => (isObject(value) ? Reflect.get(value, key) : undefined), start);
}

function call(target: unknown, method: PropertyKey): void {
  if (!isObject(target)) return;
  const found: unknown = Reflect.get(target, method);
  if (typeof found === 'function') Reflect.apply(found, target, []);
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
