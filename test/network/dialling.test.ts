import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { privateKeyFromRaw } from '@libp2p/crypto/keys';
import type { Ed25519PrivateKey } from '@libp2p/interface';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { multiaddr } from '@multiformats/multiaddr';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { codeOf } from '../../src/lib/coded-error.ts';
import { sealPeerRecord } from '../../src/network/libp2p/peer-record.ts';
import type { ProtocolLimits, Underlay } from '../../src/network/underlay.ts';
import { createNode, type NodeSetup, stopAll, until } from './libp2p-nodes.ts';
import { newPrivateKey } from './private-key.ts';

const PROTOCOL = '/test/channel/1';
const LIMITS: ProtocolLimits = { maxFrameBytes: 1024, maxChannels: 32, maxChannelsPerPeer: 32 };

function newKey(): Ed25519PrivateKey {
  const key = privateKeyFromRaw(newPrivateKey());
  if (key.type !== 'Ed25519') throw new Error('not an Ed25519 key');
  return key;
}

/** Takes connections, counts them and never says a word. */
class SilentServer {
  connections = 0;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((socket) => {
      this.connections += 1;
      socket.on('error', () => {});
    });
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const { port } = this.#server.address() as AddressInfo;
    return `/ip4/127.0.0.1/tcp/${port}`;
  }

  close(): void {
    this.#server.close();
  }
}

describe('dialling by a signed record', () => {
  let nodes: Underlay[] = [];
  let servers: SilentServer[] = [];

  afterEach(async () => {
    for (const server of servers) server.close();
    servers = [];
    await stopAll(nodes);
    nodes = [];
  });

  async function start(setup: NodeSetup = {}): Promise<Underlay> {
    const node = createNode(setup);
    node.handle(PROTOCOL, LIMITS, (channel) => void channel.close());
    nodes.push(node);
    await node.start();
    return node;
  }

  async function silentAddress(): Promise<{ server: SilentServer; address: string }> {
    const server = new SilentServer();
    servers.push(server);
    return { server, address: await server.listen() };
  }

  /** The peer id and signed record of a node that is nowhere, or somewhere else. */
  async function recordOf(addresses: readonly string[]): Promise<{ peer: string; peerRecord: Uint8Array }> {
    const key = newKey();
    const peerRecord = await sealPeerRecord(
      key,
      addresses.map((text) => multiaddr(text)),
      Date.now(),
    );
    return { peer: peerIdFromPrivateKey(key).toString(), peerRecord };
  }

  const failure = async (
    node: Underlay,
    peer: string,
    options: { readonly peerRecord?: Uint8Array; readonly timeoutMs: number },
  ): Promise<string | undefined> => {
    try {
      await node.open(peer, PROTOCOL, LIMITS, options);
      return undefined;
    } catch (error) {
      return codeOf(error);
    }
  };

  it.each(['tcp', 'memory'] as const)('reaches a peer it never met, over %s', async (transport) => {
    const [here, there] = [await start({ transport }), await start({ transport })];
    const channel = await here.open(there.self, PROTOCOL, LIMITS, {
      peerRecord: there.peerRecord(),
      timeoutMs: 5000,
    });
    expect(channel.peer).toBe(there.self);
    expect(await channel.receive()).toBeUndefined();
    expect(here.isConnected(there.self)).toBe(true);
  });

  it('uses one connection for all who ask at once, and keeps using it', async () => {
    const [here, there] = [await start(), await start()];
    const connected: string[] = [];
    there.listen({
      peerConnected: (peer) => connected.push(peer),
      peerDisconnected: () => {},
      subscribersChanged: () => {},
    });
    const options = { peerRecord: there.peerRecord(), timeoutMs: 5000 };
    await Promise.all(Array.from({ length: 6 }, () => here.open(there.self, PROTOCOL, LIMITS, options)));
    await here.open(there.self, PROTOCOL, LIMITS, { timeoutMs: 5000 });
    expect(connected).toEqual([here.self]);
  });

  it('goes on to the next address when one does not answer', async () => {
    const { address } = await silentAddress();
    const key = newPrivateKey();
    const there = await start({ privateKeyRaw: key });
    const privateKey = privateKeyFromRaw(key);
    if (privateKey.type !== 'Ed25519') throw new Error('not an Ed25519 key');
    const addresses = [address, ...there.multiaddrs()].map((text) => multiaddr(text));
    const here = await start({ limits: { addressDialTimeoutMs: 200 } });
    const peerRecord = await sealPeerRecord(privateKey, addresses, Date.now());
    expect(await failure(here, there.self, { peerRecord, timeoutMs: 5000 })).toBeUndefined();
  });

  it('refuses a record that was changed, and one about another peer', async () => {
    const [here, there] = [await start(), await start()];
    const changed = there.peerRecord().slice();
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    expect(await failure(here, there.self, { peerRecord: changed, timeoutMs: 5000 })).toBe(
      'PEER_UNREACHABLE',
    );
    const stranger = await recordOf(there.multiaddrs());
    const borrowed = { peerRecord: there.peerRecord(), timeoutMs: 5000 };
    expect(await failure(here, stranger.peer, borrowed)).toBe('PEER_UNREACHABLE');
    expect(here.connectedPeers()).toEqual([]);
  });

  it('does not take one peer for another that sits at its address', async () => {
    const [here, there] = [await start(), await start()];
    const { peer, peerRecord } = await recordOf(
      there.multiaddrs().map((address) => address.replace(/\/p2p\/.*$/, '')),
    );
    expect(await failure(here, peer, { peerRecord, timeoutMs: 5000 })).toBe('PEER_UNREACHABLE');
    expect(here.isConnected(peer)).toBe(false);
  });

  it('gives up in time when nobody answers', async () => {
    const here = await start();
    const { address } = await silentAddress();
    const { peer, peerRecord } = await recordOf([address]);
    const startedMs = performance.now();
    expect(await failure(here, peer, { peerRecord, timeoutMs: 250 })).toBe('PEER_UNREACHABLE');
    expect(performance.now() - startedMs).toBeLessThan(1000);
  });

  it('dials three addresses of a record at most', async () => {
    const here = await start({ limits: { addressDialTimeoutMs: 100 } });
    const silent = await Promise.all(Array.from({ length: 8 }, () => silentAddress()));
    const { peer, peerRecord } = await recordOf(silent.map(({ address }) => address));
    expect(await failure(here, peer, { peerRecord, timeoutMs: 5000 })).toBe('PEER_UNREACHABLE');
    expect(silent.map(({ server }) => server.connections)).toEqual([1, 1, 1, 0, 0, 0, 0, 0]);
  });

  it('does not dial private addresses from a public network', async () => {
    const here = await start({ announce: ['/ip4/203.0.113.7/tcp/4001'] });
    const { server, address } = await silentAddress();
    const { peer, peerRecord } = await recordOf([address, '/ip4/192.168.1.1/tcp/1', '/dns4/localhost/tcp/1']);
    expect(await failure(here, peer, { peerRecord, timeoutMs: 5000 })).toBe('ADDRESS_REFUSED');
    expect(server.connections).toBe(0);
  });

  it('reaches a neighbour on loopback when it listens on nothing itself', async () => {
    const hub = await start();
    const provider = await start();
    const here = await start({ listen: [], bootstrap: hub.multiaddrs() });
    await until(() => here.isConnected(hub.self));
    const asked = { peerRecord: provider.peerRecord(), timeoutMs: 5000 };
    expect(await failure(here, provider.self, asked)).toBeUndefined();
    expect(here.isConnected(provider.self)).toBe(true);
  });

  it('stops dialling when the budget is spent', async () => {
    const here = await start({
      limits: { addressDialTimeoutMs: 50, dialsInTotal: { burst: 2, perSecond: 0 } },
    });
    const { server, address } = await silentAddress();
    const codes: (string | undefined)[] = [];
    for (let index = 0; index < 4; index += 1) {
      const { peer, peerRecord } = await recordOf([address]);
      codes.push(await failure(here, peer, { peerRecord, timeoutMs: 5000 }));
    }
    expect(codes).toEqual([
      'PEER_UNREACHABLE',
      'PEER_UNREACHABLE',
      'DIAL_BUDGET_EXHAUSTED',
      'DIAL_BUDGET_EXHAUSTED',
    ]);
    expect(server.connections).toBe(2);
  });

  it('reaches a peer that has moved, in a network with address lookup', async () => {
    const key = newPrivateKey();
    const server = await start({ kadDht: 'server' });
    const setup: NodeSetup = { kadDht: 'server', bootstrap: server.multiaddrs() };
    const before = await start({ ...setup, privateKeyRaw: key });
    const stale = before.peerRecord();
    await before.stop();
    const here = await start(setup);
    const moved = await start({ ...setup, privateKeyRaw: key });
    await until(() => server.isConnected(moved.self) && server.isConnected(here.self));
    // The server answers for a peer as soon as it has seen for itself that the peer answers.
    await vi.waitFor(
      async () => {
        expect(await failure(here, moved.self, { peerRecord: stale, timeoutMs: 5000 })).toBeUndefined();
      },
      { timeout: 20_000, interval: 50 },
    );
    expect(here.isConnected(moved.self)).toBe(true);
  });
});
