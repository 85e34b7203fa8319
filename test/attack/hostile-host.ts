import { randomBytes } from 'node:crypto';
import { noise } from '@chainsafe/libp2p-noise';
import { privateKeyFromRaw } from '@libp2p/crypto/keys';
import { identify } from '@libp2p/identify';
import type { Connection, MessageStream, Stream, StreamMuxer } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import type { Notary } from '../../src/domain/evidence.ts';
import { createNotary, type Identity, identityOf } from '../../src/identity/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { scopeOf } from '../../src/network/libp2p/address-scope.ts';
import { writeBatching } from '../../src/network/libp2p/write-batching.ts';
import type { Target } from './attack.ts';

/** Not the network of the honest nodes: in the field a stranger does not share a prefix with them. */
export const HOSTILE_ADDRESS = '127.66.0.1';
const DIAL_TIMEOUT_MS = 5000;
const STREAM_TIMEOUT_MS = 3000;
const MANY_STREAMS = 10_000;

export interface HostOptions {
  readonly identity?: Identity;
  /** Where its connections come from, in 127.0.0.0/8. */
  readonly localAddress?: string;
}

export interface Wire {
  readonly muxer: StreamMuxer;
  /** Encrypted for the other side; what is sent here is what its multiplexer reads. */
  readonly secured: MessageStream;
}

export interface HostileHost {
  readonly identity: Identity;
  readonly notary: Notary;
  /** The one open connection to the target, or a new one. */
  connect(target: Target, signal: AbortSignal): Promise<Connection>;
  open(target: Target, protocol: string, signal: AbortSignal): Promise<Stream>;
  /** What lies below the streams of its newest connection. */
  wire(): Wire;
  /** Ends its connections at once, all of them or those with one node. */
  leave(target?: Target): void;
  stop(): Promise<void>;
}

/** Throws unless it is an address of this machine's loopback: nothing here ever connects to anywhere else. */
export function loopbackOnly(address: string): Multiaddr {
  const parsed = multiaddr(address);
  if (scopeOf(parsed) !== 'loopback') throw new RangeError(`${address} is not on loopback`);
  return parsed;
}

/** TCP that connects from one address of 127.0.0.0/8. */
export function tcpFrom(localAddress: string): ReturnType<typeof tcp> {
  const dialOpts = { noDelay: true, localAddress };
  return tcp({ dialOpts });
}

function watched(made: (wire: Wire) => void): ReturnType<typeof yamux> {
  const create = yamux({ maxOutboundStreams: MANY_STREAMS, maxInboundStreams: MANY_STREAMS });
  return () => {
    const factory = create();
    const createMuxer = factory.createStreamMuxer.bind(factory);
    factory.createStreamMuxer = (secured) => {
      const muxer = createMuxer(secured);
      made({ muxer, secured });
      return muxer;
    };
    return factory;
  };
}

/** libp2p with nothing of this project on it, so that every byte of a stream can be chosen. */
export async function createHostileHost(network: string, options: HostOptions = {}): Promise<HostileHost> {
  const identity = options.identity ?? identityOf(randomBytes(32));
  let wire: Wire | undefined;
  const libp2p = await createLibp2p({
    privateKey: privateKeyFromRaw(identity.privateKeyRaw),
    addresses: { listen: [] },
    transports: [tcpFrom(options.localAddress ?? HOSTILE_ADDRESS)],
    connectionEncrypters: [noise()],
    connectionProtector: () => writeBatching(),
    streamMuxers: [
      watched((made) => {
        wire = made;
      }),
    ],
    connectionGater: { denyDialMultiaddr: (address) => scopeOf(address) !== 'loopback' },
    connectionManager: { reconnectRetries: 0 },
    connectionMonitor: { enabled: false },
    services: { identify: identify() },
  });
  const connect = async (target: Target, signal: AbortSignal): Promise<Connection> => {
    const known = libp2p.getConnections().find((one) => one.remotePeer.toString() === target.peerId);
    if (known?.status === 'open') return known;
    return libp2p.dial(loopbackOnly(target.address), {
      signal: AbortSignal.any([signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)]),
    });
  };
  return {
    identity,
    notary: createNotary(identity, network, systemClock),
    connect,
    open: async (target, protocol, signal) => {
      const connection = await connect(target, signal);
      try {
        return await connection.newStream(protocol, {
          maxOutboundStreams: MANY_STREAMS,
          signal: AbortSignal.any([signal, AbortSignal.timeout(STREAM_TIMEOUT_MS)]),
        });
      } catch (error) {
        // libp2p goes on to count a connection as open whose other side has closed it: the next try is a new one.
        if (error instanceof Error && error.name === 'ConnectionClosedError') connection.abort(error);
        throw error;
      }
    },
    wire: () => {
      if (wire === undefined) throw new Error('there is no connection yet');
      return wire;
    },
    leave: (target) => {
      for (const connection of libp2p.getConnections()) {
        const isMeant = target === undefined || connection.remotePeer.toString() === target.peerId;
        if (isMeant) connection.abort(new Error('left'));
      }
    },
    stop: async () => libp2p.stop(),
  };
}
