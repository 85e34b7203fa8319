import { type ChildProcess, fork } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { createLibp2pUnderlay } from '../../src/network/libp2p/libp2p-underlay.ts';
import { defaultLibp2pLimits } from '../../src/network/libp2p/options.ts';
import type { Channel, ProtocolLimits, Underlay } from '../../src/network/underlay.ts';
import { percentile } from './figure.ts';

const PROVIDERS = 4;
const WARM_UP = 10;
const TOPIC = '/floor/requests/1';
const PROTOCOL = '/floor/negotiation/1';
const LIMITS: ProtocolLimits = { maxFrameBytes: 64 * 1024, maxChannels: 64, maxChannelsPerPeer: 8 };
const OPEN_TIMEOUT_MS = 5000;
const REQUEST_BYTES = 700;
const BID_BYTES = 900;
/** What the requester sends on the stream, and what it gets back. */
const ROUND_TRIPS = [
  { sentBytes: 300, answeredBytes: 900 },
  { sentBytes: 2048, answeredBytes: 1024 },
] as const;

export interface FloorFigures {
  readonly p50: number;
  readonly p99: number;
}

/**
 * The least a negotiation can take here, in milliseconds: the production transport between as many processes, and
 * nothing on top of it. Gossip goes out, every provider opens a stream back, and the first one makes two round trips.
 */
export async function measureFloor({ iterations }: { readonly iterations: number }): Promise<FloorFigures> {
  const children: ChildProcess[] = [];
  const spawn = (role: string, ...rest: string[]): ChildProcess => {
    const child = fork(fileURLToPath(import.meta.url), [role, ...rest]);
    children.push(child);
    return child;
  };
  try {
    const requester = spawn('requester', String(iterations));
    const { address, peer } = await nextMessage<Ready>(requester, children);
    for (let index = 0; index < PROVIDERS; index += 1) spawn('provider', address, peer);
    const { samples } = await nextMessage<Measured>(requester, children);
    return { p50: percentile(samples, 0.5), p99: percentile(samples, 0.99) };
  } finally {
    await Promise.all(children.map(end));
  }
}

interface Ready {
  readonly address: string;
  readonly peer: string;
}

interface Measured {
  readonly samples: readonly number[];
}

/** The next message of `child`; rejects when any of the processes ends first. */
async function nextMessage<T>(child: ChildProcess, all: readonly ChildProcess[]): Promise<T> {
  const settled = new AbortController();
  const { signal } = settled;
  const exits = all.map((one) =>
    once(one, 'exit', { signal }).then(() => {
      throw new Error('a process of the floor benchmark ended early');
    }),
  );
  for (const exit of exits) exit.catch(() => {});
  try {
    const [message] = await Promise.race([once(child, 'message', { signal }), ...exits]);
    return message;
  } finally {
    settled.abort();
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

function createNode(bootstrap: readonly string[]): Underlay {
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const privateKeyRaw = Buffer.concat([jwk.d, jwk.x].map((part) => Buffer.from(part ?? '', 'base64url')));
  return createLibp2pUnderlay(
    {
      network: 'floor',
      listen: ['/ip4/127.0.0.1/tcp/0'],
      announce: [],
      bootstrap,
      mdns: false,
      kadDht: 'off',
      peerExchange: true,
      libp2pLogs: false,
      limits: defaultLibp2pLimits,
    },
    { privateKeyRaw, clock: systemClock, logger: silentLogger },
  );
}

async function provide(address: string, requester: string): Promise<void> {
  const node = createNode([address]);
  const answer = async (): Promise<void> => {
    const channel = await node.open(requester, PROTOCOL, LIMITS, { timeoutMs: OPEN_TIMEOUT_MS });
    await channel.send(new Uint8Array(BID_BYTES));
    for (const { answeredBytes } of ROUND_TRIPS) {
      if ((await channel.receive()) === undefined) break;
      await channel.send(new Uint8Array(answeredBytes));
    }
    await channel.close();
  };
  node.subscribe(TOPIC, () => {
    void answer();
    return 'accept';
  });
  await node.start();
}

/** Bids in the order in which they came. */
class Bids {
  #arrived: Channel[] = [];
  #waiting: (() => void) | undefined;

  add(channel: Channel): void {
    this.#arrived.push(channel);
    this.#waiting?.();
  }

  async first(): Promise<Channel> {
    await this.#until(1);
    return this.#arrived[0]!;
  }

  /** Waits for the bids that came later, so that they do not fall into the next measurement. */
  async takeAll(count: number): Promise<Channel[]> {
    await this.#until(count);
    return this.#arrived.splice(0);
  }

  async #until(count: number): Promise<void> {
    while (this.#arrived.length < count) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
  }
}

async function measure(node: Underlay, bids: Bids): Promise<number> {
  const request = new Uint8Array(randomBytes(REQUEST_BYTES));
  const startedMs = performance.now();
  await node.publish(TOPIC, request);
  const winner = await bids.first();
  for (const { sentBytes } of ROUND_TRIPS) {
    await winner.send(new Uint8Array(sentBytes));
    await winner.receive();
  }
  const tookMs = performance.now() - startedMs;
  const channels = await bids.takeAll(PROVIDERS);
  await Promise.all(channels.map((channel) => channel.close()));
  await Promise.all(channels.map((channel) => channel.ended));
  return tookMs;
}

async function request(iterations: number, send: (message: Ready | Measured) => void): Promise<void> {
  const node = createNode([]);
  const bids = new Bids();
  node.handle(PROTOCOL, LIMITS, (channel) => {
    void channel.receive().then(() => bids.add(channel));
  });
  const complete = new Promise<void>((resolve) => {
    node.listen({
      peerConnected: () => {},
      peerDisconnected: () => {},
      subscribersChanged: () => {
        if (node.subscribers(TOPIC).length === PROVIDERS) resolve();
      },
    });
  });
  await node.start();
  send({ address: node.multiaddrs()[0] ?? '', peer: node.self });
  await complete;
  const samples: number[] = [];
  for (let index = 0; index < iterations + WARM_UP; index += 1) {
    const tookMs = await measure(node, bids);
    if (index >= WARM_UP) samples.push(tookMs);
  }
  send({ samples });
}

if (import.meta.main) {
  const [, , role, ...rest] = process.argv;
  process.once('disconnect', () => process.exit());
  if (role === 'provider') await provide(rest[0] ?? '', rest[1] ?? '');
  else await request(Number(rest[0]), (message) => process.send?.(message));
}
