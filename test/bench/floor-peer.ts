import { noise } from '@chainsafe/libp2p-noise';
import { gossipsub, StrictNoSign } from '@libp2p/gossipsub';
import { identify } from '@libp2p/identify';
import type { PeerId, Stream } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';

/** One process of the floor benchmark, on libp2p with the settings it comes with. See `floor.ts`. */

export interface FloorPeer {
  readonly address: string;
}

export type FloorMessage = { readonly peer: FloorPeer } | FloorFigures;

export interface FloorFigures {
  readonly samples: readonly number[];
}

const WARM_UP = 30;
/** Gossipsub knows of subscribers before it can send to them. */
const SETTLE_MS = 1000;
const TOPIC = 'floor';
const PROTOCOL = '/floor/1';
/** As our messages are, frame and signature included. */
const REQUEST_BYTES = 860;
const BID_BYTES = 1030;
const ROUND_TRIPS = [
  { sentBytes: 387, answeredBytes: 1160 },
  { sentBytes: 1523, answeredBytes: 1514 },
] as const;

type Node = Awaited<ReturnType<typeof createNode>>;

async function createNode() {
  return await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: {
      identify: identify(),
      // What is signed once is not signed a second time: ours is not either.
      pubsub: gossipsub({ globalSignaturePolicy: StrictNoSign, allowPublishToZeroTopicPeers: true }),
    },
  });
}

/** Messages of known sizes on one stream. */
class Sized {
  readonly stream: Stream;
  #received = 0;
  #wanted = Number.POSITIVE_INFINITY;
  #there: (() => void) | undefined;

  constructor(stream: Stream) {
    this.stream = stream;
    stream.addEventListener('message', ({ data }) => {
      this.#received += data.byteLength;
      this.#look();
    });
    stream.addEventListener('remoteCloseWrite', () => void stream.close().catch(() => {}));
  }

  send(bytes: number): void {
    this.stream.send(new Uint8Array(bytes));
  }

  receive(bytes: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wanted = bytes;
      this.#there = resolve;
      this.#look();
    });
  }

  #look(): void {
    if (this.#received < this.#wanted) return;
    this.#received -= this.#wanted;
    this.#wanted = Number.POSITIVE_INFINITY;
    this.#there?.();
  }
}

/** Connects with every peer that stands before this one in the list, and waits for all the others. */
async function link(node: Node, peers: readonly FloorPeer[], listeners: number): Promise<void> {
  const own = node.getMultiaddrs()[0]?.toString();
  const at = peers.findIndex(({ address }) => address === own);
  for (const { address } of peers.slice(0, at)) await node.dial(multiaddr(address));
  const { pubsub } = node.services;
  await until(
    () => node.getPeers().length >= peers.length - 1,
    (look) => node.addEventListener('peer:connect', look, { once: true }),
  );
  await until(
    () => pubsub.getSubscribers(TOPIC).length >= listeners,
    (look) => pubsub.addEventListener('subscription-change', look, { once: true }),
  );
}

async function until(done: () => boolean, next: (look: () => void) => void): Promise<void> {
  while (!done()) await new Promise<void>((resolve) => next(resolve));
}

async function provide(): Promise<void> {
  const node = await createNode();
  const { pubsub } = node.services;
  const answer = async (requester: PeerId): Promise<void> => {
    const stream = await node.dialProtocol(requester, PROTOCOL);
    const channel = new Sized(stream);
    channel.send(BID_BYTES);
    for (const { sentBytes, answeredBytes } of ROUND_TRIPS) {
      await channel.receive(sentBytes);
      channel.send(answeredBytes);
    }
  };
  pubsub.subscribe(TOPIC);
  const peers = await introduce(node);
  await link(node, peers, peers.length - 2);
  const address = peers[0]?.address ?? '';
  const requester = node.getPeers().find((peer) => address.endsWith(peer.toString()));
  if (requester === undefined) throw new Error('the requester is not there');
  pubsub.addEventListener('message', () => void answer(requester).catch(() => {}));
}

async function introduce(node: Node): Promise<readonly FloorPeer[]> {
  const told = once(process, 'message');
  process.send?.({ peer: { address: node.getMultiaddrs()[0]?.toString() ?? '' } } satisfies FloorMessage);
  const [{ peers }] = (await told) as [{ readonly peers: readonly FloorPeer[] }];
  return peers;
}

async function request(iterations: number, providers: number): Promise<void> {
  const node = await createNode();
  let arrived: Sized[] = [];
  let noticed: () => void = () => {};
  await node.handle(PROTOCOL, (stream) => {
    arrived.push(new Sized(stream));
    noticed();
  });
  const count = async (wanted: number): Promise<void> => {
    while (arrived.length < wanted) await new Promise<void>((resolve) => (noticed = resolve));
  };
  await link(node, await introduce(node), providers);
  await setTimeout(SETTLE_MS);
  const samples: number[] = [];
  for (let index = 0; index < iterations + WARM_UP; index += 1) {
    const message = randomBytes(REQUEST_BYTES);
    const startedMs = performance.now();
    await node.services.pubsub.publish(TOPIC, new Uint8Array(message));
    await count(1);
    const [winner] = arrived;
    if (winner === undefined) throw new Error('nobody came');
    await winner.receive(BID_BYTES);
    for (const { sentBytes, answeredBytes } of ROUND_TRIPS) {
      winner.send(sentBytes);
      await winner.receive(answeredBytes);
    }
    if (index >= WARM_UP) samples.push(performance.now() - startedMs);
    // Those that came later must not fall into the next measurement.
    await count(providers);
    await Promise.all(arrived.map(({ stream }) => stream.close()));
    arrived = [];
  }
  process.send?.({ samples } satisfies FloorMessage);
}

const [, , role, iterations, providers] = process.argv;
process.once('disconnect', () => process.exit());
if (role === 'provider') await provide();
else await request(Number(iterations), Number(providers));
