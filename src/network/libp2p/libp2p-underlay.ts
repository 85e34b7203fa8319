import { privateKeyFromRaw } from '@libp2p/crypto/keys';
import type { Ed25519PrivateKey } from '@libp2p/interface';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { assert } from '../../lib/assert.ts';
import type { Clock } from '../../lib/clock.ts';
import { CodedError } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type {
  Channel,
  ConnectionCounts,
  ForeignPeer,
  OpenOptions,
  ProtocolLimits,
  Underlay,
  UnderlayListener,
} from '../underlay.ts';
import type { Transports } from './host.ts';
import { Libp2pRun } from './libp2p-run.ts';
import type { ProtocolHandler } from './live-channels.ts';
import type { Libp2pOptions } from './options.ts';
import type { Validate } from './run-context.ts';

export interface Libp2pNeeds {
  /** Ed25519: 32 bytes of seed, then 32 bytes of public key. */
  readonly privateKeyRaw: Uint8Array;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In place of TCP. */
  readonly transports?: Transports;
}

class Libp2pUnderlay implements Underlay {
  readonly self: string;
  readonly maxGossipBytes: number;
  readonly #options: Libp2pOptions;
  readonly #needs: Libp2pNeeds;
  readonly #privateKey: Ed25519PrivateKey;
  readonly #bootstrap: readonly Multiaddr[];
  readonly #topics = new Map<string, Validate>();
  readonly #handlers = new Map<string, ProtocolHandler>();
  readonly #listeners = new Set<UnderlayListener>();
  #run: Libp2pRun | undefined;
  #change: Promise<void> = Promise.resolve();

  constructor(options: Libp2pOptions, needs: Libp2pNeeds) {
    for (const address of [...options.listen, ...options.announce]) parseAddress(address);
    this.#bootstrap = options.bootstrap.map(parseAddress);
    this.#options = options;
    this.#needs = needs;
    this.#privateKey = ed25519Key(needs.privateKeyRaw);
    this.self = peerIdFromPrivateKey(this.#privateKey).toString();
    this.maxGossipBytes = options.limits.maxGossipBytes;
  }

  start(): Promise<void> {
    return this.#inTurn(async () => {
      this.#run ??= await Libp2pRun.start({
        options: this.#options,
        bootstrap: this.#bootstrap,
        self: this.self,
        privateKey: this.#privateKey,
        clock: this.#needs.clock,
        logger: this.#needs.logger,
        transports: this.#needs.transports,
        topics: this.#topics,
        handlers: this.#handlers,
        listeners: this.#listeners,
      });
    });
  }

  stop(): Promise<void> {
    return this.#inTurn(async () => {
      const run = this.#run;
      this.#run = undefined;
      await run?.stop();
    });
  }

  subscribe(topic: string, validate: Validate): void {
    assert(!this.#topics.has(topic), 'a topic is subscribed once');
    this.#topics.set(topic, validate);
    this.#run?.addTopic(topic, validate);
  }

  async publish(topic: string, message: Uint8Array): Promise<void> {
    await this.#running().publish(topic, message);
  }

  subscribers(topic: string): readonly string[] {
    return this.#run?.subscribers(topic) ?? [];
  }

  handle(protocol: string, limits: ProtocolLimits, handler: (channel: Channel) => void): void {
    assert(this.#run === undefined, 'handlers are registered before start');
    assert(!this.#handlers.has(protocol), 'a protocol has one handler');
    this.#handlers.set(protocol, { limits, handler });
  }

  async open(peer: string, protocol: string, limits: ProtocolLimits, options: OpenOptions): Promise<Channel> {
    return this.#running().open(peer, protocol, limits, options);
  }

  async meet(peer: string, peerRecord: Uint8Array): Promise<void> {
    await this.#running().meet(peer, peerRecord);
  }

  isConnected(peer: string): boolean {
    return this.#run?.connections.has(peer) ?? false;
  }

  connectedPeers(): readonly string[] {
    return this.#run?.connections.peers() ?? [];
  }

  addressesOf(peer: string): readonly string[] {
    return this.#run?.connections.addressesOf(peer) ?? [];
  }

  connectionCounts(): ConnectionCounts {
    return this.#run?.connectionCounts() ?? { inbound: 0, outbound: 0, refused: 0 };
  }

  foreignPeers(): readonly ForeignPeer[] {
    return this.#run?.foreignPeers() ?? [];
  }

  restrain(peer: string, goesOn: boolean): void {
    this.#run?.traffic.restrain(peer, goesOn);
  }

  holdBack(peer: string, durationMs: number): void {
    this.#run?.traffic.holdBack(peer, durationMs);
  }

  prefixOf(peer: string): string | undefined {
    return this.#run?.connections.prefixOf(peer);
  }

  isNamed(peer: string): boolean {
    return this.#run?.named.has(peer) ?? false;
  }

  roundTripMs(peer: string): number | undefined {
    return this.#run?.connections.roundTripMs(peer);
  }

  peerRecord(): Uint8Array {
    return this.#running().peerRecord();
  }

  multiaddrs(): readonly string[] {
    return this.#run?.ownAddresses().map((address) => address.toString()) ?? [];
  }

  listen(listener: UnderlayListener): void {
    this.#listeners.add(listener);
  }

  #running(): Libp2pRun {
    if (this.#run === undefined) throw new CodedError('NOT_STARTED', 'The network is not started.');
    return this.#run;
  }

  /** Starts and stops happen one after the other, whoever asks for them. */
  #inTurn(change: () => Promise<void>): Promise<void> {
    const result = this.#change.then(change);
    this.#change = result.catch(() => {});
    return result;
  }
}

/** The network over libp2p. Throws `ADDRESS_INVALID` or `KEY_INVALID`; `start` rejects with `LISTEN_FAILED`. */
export function createLibp2pUnderlay(options: Libp2pOptions, needs: Libp2pNeeds): Underlay {
  return new Libp2pUnderlay(options, needs);
}

function parseAddress(text: string): Multiaddr {
  try {
    return multiaddr(text);
  } catch (cause) {
    throw new CodedError(
      'ADDRESS_INVALID',
      `"${text}" is not a multiaddr. Write it like "/ip4/127.0.0.1/tcp/4001".`,
      { cause },
    );
  }
}

function ed25519Key(raw: Uint8Array): Ed25519PrivateKey {
  const key = privateKeyFromRaw(raw);
  if (key.type !== 'Ed25519') throw new CodedError('KEY_INVALID', 'The node key is not an Ed25519 key.');
  return key;
}
