import { randomBytes } from 'node:crypto';
import { noise } from '@chainsafe/libp2p-noise';
import { privateKeyFromRaw } from '@libp2p/crypto/keys';
import { identify } from '@libp2p/identify';
import type { Connection, Libp2p, MessageStream, Stream, StreamMuxer } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import type { Notary } from '../../src/domain/market/evidence.ts';
import { createNotary, type Identity, identityOf } from '../../src/identity/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { scopeOf } from '../../src/network/libp2p/address-scope.ts';
import { writeBatching } from '../unit/network/libp2p/batching-protector.ts';
import type { Target } from './attack.ts';

/** Not the network of the honest nodes: in the field a stranger does not share a prefix with them. */
export const HOSTILE_ADDRESS = '127.66.0.1';
const DIAL_TIMEOUT_MS = 5000;
const STREAM_TIMEOUT_MS = 3000;
const MANY_STREAMS = 10_000;
const MOST_FAILURES = 4;
const RENEWED_EVERY_MS = 500;

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
  /** Of the identity that it has now. */
  readonly notary: Notary;
  /** The one open connection to the target, or a new one. */
  connect(target: Target, signal: AbortSignal): Promise<Connection>;
  open(target: Target, protocol: string, signal: AbortSignal): Promise<Stream>;
  /** What lies below the streams of its newest connection. */
  wire(): Wire;
  /** Ends its connections at once, all of them or those with one node. */
  leave(target?: Target): void;
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

interface Life {
  readonly identity: Identity;
  readonly notary: Notary;
  readonly libp2p: Libp2p;
  wire(): Wire;
}

/** libp2p with nothing of this project on it, so that every byte of a stream can be chosen. */
async function begin(network: string, { identity, localAddress }: HostOptions): Promise<Life> {
  const self = identity ?? identityOf(randomBytes(32));
  let wire: Wire | undefined;
  const libp2p = await createLibp2p({
    privateKey: privateKeyFromRaw(self.privateKeyRaw),
    addresses: { listen: [] },
    transports: [tcpFrom(localAddress ?? HOSTILE_ADDRESS)],
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
  return {
    identity: self,
    notary: createNotary(self, network, systemClock),
    libp2p,
    wire: () => {
      if (wire === undefined) throw new Error('there is no connection yet');
      return wire;
    },
  };
}

/** A peer that is refused again and again comes back as somebody else: identities cost nothing. */
class RenewedHost implements HostileHost {
  readonly #network: string;
  readonly #options: HostOptions;
  readonly #renewed: () => void;
  #life: Life;
  #failures = 0;
  #renewedAtMs = performance.now();
  #renewal: Promise<void> | undefined;

  constructor(network: string, options: HostOptions, life: Life, renewed: () => void) {
    this.#network = network;
    this.#options = options;
    this.#life = life;
    this.#renewed = renewed;
  }

  get notary(): Notary {
    return this.#life.notary;
  }

  wire(): Wire {
    return this.#life.wire();
  }

  async connect(target: Target, signal: AbortSignal): Promise<Connection> {
    await this.#renewal;
    const { libp2p } = this.#life;
    const known = libp2p.getConnections().find((one) => one.remotePeer.toString() === target.peerId);
    if (known?.status === 'open') return known;
    try {
      return await libp2p.dial(loopbackOnly(target.address), {
        signal: AbortSignal.any([signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)]),
      });
    } catch (error) {
      this.#failed();
      throw error;
    }
  }

  async open(target: Target, protocol: string, signal: AbortSignal): Promise<Stream> {
    const connection = await this.connect(target, signal);
    try {
      const stream = await connection.newStream(protocol, {
        maxOutboundStreams: MANY_STREAMS,
        signal: AbortSignal.any([signal, AbortSignal.timeout(STREAM_TIMEOUT_MS)]),
      });
      this.#failures = 0;
      return stream;
    } catch (error) {
      // libp2p goes on to count a connection as open whose other side has closed it: the next try is a new one.
      if (error instanceof Error && error.name === 'ConnectionClosedError') connection.abort(error);
      this.#failed();
      throw error;
    }
  }

  leave(target?: Target): void {
    for (const connection of this.#life.libp2p.getConnections()) {
      const isMeant = target === undefined || connection.remotePeer.toString() === target.peerId;
      if (isMeant) connection.abort(new Error('left'));
    }
  }

  #failed(): void {
    this.#failures += 1;
    const nowMs = performance.now();
    if (this.#failures < MOST_FAILURES || nowMs - this.#renewedAtMs < RENEWED_EVERY_MS) return;
    this.#failures = 0;
    this.#renewedAtMs = nowMs;
    this.#renewal = this.#renew();
  }

  async #renew(): Promise<void> {
    const before = this.#life;
    this.leave();
    this.#life = await begin(this.#network, this.#options);
    this.#renewed();
    void Promise.resolve(before.libp2p.stop()).catch(() => {});
  }
}

export async function createHostileHost(
  network: string,
  options: HostOptions,
  renewed: () => void,
): Promise<HostileHost> {
  return new RenewedHost(network, options, await begin(network, options), renewed);
}
