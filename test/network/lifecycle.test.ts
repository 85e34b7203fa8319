import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Underlay } from '../../src/network/underlay.ts';
import { createNode, startNodes, stopAll, until } from './libp2p-nodes.ts';
import { newPrivateKey } from './private-key.ts';

const TOPIC = '/test/topic/1';
const PROTOCOL = '/test/channel/1';
const LIMITS = { maxFrameBytes: 1024, maxChannels: 8, maxChannelsPerPeer: 8 };

/** Sockets, servers and timers that keep this process alive. */
function resources(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => name.startsWith('TCP') || name === 'UDPWRAP')
    .toSorted();
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

describe('the life of a libp2p node', () => {
  let nodes: Underlay[] = [];

  afterEach(async () => {
    await stopAll(nodes);
    nodes = [];
  });

  it('finds a bootstrap node again that came back on the same port', async () => {
    const key = newPrivateKey();
    const first = createNode({ privateKeyRaw: key });
    nodes.push(first);
    await first.start();
    const [address = ''] = first.multiaddrs();
    const second = createNode({ bootstrap: [address] });
    nodes.push(second);
    second.subscribe(TOPIC, () => 'accept');
    await second.start();
    await until(() => second.isConnected(first.self));
    await first.stop();
    await until(() => !second.isConnected(first.self));

    const again = createNode({ privateKeyRaw: key, listen: [address.replace(/\/p2p\/.*$/, '')] });
    nodes.push(again);
    await again.start();
    const startedMs = performance.now();
    await until(() => second.isConnected(again.self));
    expect(performance.now() - startedMs).toBeLessThan(3000);
    await until(() => again.subscribers(TOPIC).includes(second.self));
  });

  it('settles when two nodes name each other', async () => {
    const keys = [newPrivateKey(), newPrivateKey()];
    const ports = [await freePort(), await freePort()];
    const received: string[] = [];
    nodes = keys.map((privateKeyRaw, index) => {
      const node = createNode({
        privateKeyRaw,
        listen: [`/ip4/127.0.0.1/tcp/${ports[index]}`],
        bootstrap: [`/ip4/127.0.0.1/tcp/${ports[1 - index]}`],
      });
      node.subscribe(TOPIC, (from) => {
        received.push(from);
        return 'accept';
      });
      return node;
    });
    const [first, second] = [nodes[0]!, nodes[1]!];
    await Promise.all(nodes.map((node) => node.start()));
    await until(
      () => first.subscribers(TOPIC).includes(second.self) && second.subscribers(TOPIC).includes(first.self),
    );
    await first.publish(TOPIC, new Uint8Array(1));
    await second.publish(TOPIC, new Uint8Array(2));
    await until(() => received.length >= 2);
    expect(received.toSorted()).toEqual([first.self, second.self].toSorted());
  });

  it('finds a bootstrap node that starts later than itself', async () => {
    const port = await freePort();
    const address = `/ip4/127.0.0.1/tcp/${port}`;
    const early = createNode({ bootstrap: [address] });
    const late = createNode({ listen: [address] });
    nodes.push(early, late);
    await early.start();
    await late.start();
    await until(() => early.isConnected(late.self) && late.isConnected(early.self));
    expect(late.connectedPeers()).toEqual([early.self]);
    expect(early.addressesOf?.(late.self)).toContain(`${address}/p2p/${late.self}`);
    for (const at of late.addressesOf?.(early.self) ?? [])
      expect(at.endsWith(`/p2p/${early.self}`)).toBe(true);
    expect(late.addressesOf?.(early.self)).not.toEqual([]);
    expect(late.addressesOf?.(late.self)).toEqual([]);
  });

  it('does not mind being its own bootstrap node', async () => {
    const key = newPrivateKey();
    const { self } = createNode({ privateKeyRaw: key });
    const node = createNode({
      privateKeyRaw: key,
      bootstrap: [`/ip4/127.0.0.1/tcp/1/p2p/${self}`],
    });
    nodes.push(node);
    await node.start();
    expect(node.connectedPeers()).toEqual([]);
  });

  it('says that a port is in use, with a next step, and leaves nothing behind', async () => {
    const before = resources();
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const node = createNode({ listen: [`/ip4/127.0.0.1/tcp/${port}`] });
    await expect(node.start()).rejects.toMatchObject({
      code: 'LISTEN_FAILED',
      message: expect.stringMatching(/in use.*--listen/),
    });
    server.close();
    await once(server, 'close');
    await until(() => resources().length <= before.length);
    nodes.push(node);
    await node.start();
    expect(node.multiaddrs()).toHaveLength(1);
  });

  it('says what is wrong with an address', () => {
    expect(() => createNode({ listen: ['localhost:4001'] })).toThrow(
      expect.objectContaining({ code: 'ADDRESS_INVALID' }),
    );
    expect(() => createNode({ bootstrap: ['/ip4/300.1.1.1/tcp/1'] })).toThrow(
      expect.objectContaining({ code: 'ADDRESS_INVALID' }),
    );
  });

  it('stops within a second, with channels open, and closes every socket', async () => {
    const before = resources();
    nodes = await startNodes(5, {}, (node) => {
      node.subscribe(TOPIC, () => 'accept');
      node.handle(PROTOCOL, LIMITS, () => {});
    });
    for (const other of nodes.slice(1)) {
      await nodes[0]!.open(other.self, PROTOCOL, LIMITS, { timeoutMs: 5000 });
    }
    const startedMs = performance.now();
    await nodes[0]!.stop();
    expect(performance.now() - startedMs).toBeLessThan(1000);
    await until(() => nodes.slice(1).every((node) => node.connectedPeers().length === 3));
    await stopAll(nodes);
    await until(() => resources().length <= before.length);
  });

  it('is the same node with the same topics and protocols when started again', async () => {
    const first = createNode();
    const received: string[] = [];
    first.subscribe(TOPIC, (_, message) => {
      received.push(new TextDecoder().decode(message));
      return 'accept';
    });
    first.handle(PROTOCOL, LIMITS, (channel) => void channel.close());
    await first.start();
    await first.stop();
    await first.stop();
    expect(first.multiaddrs()).toEqual([]);
    await expect(first.publish(TOPIC, new Uint8Array(1))).rejects.toMatchObject({ code: 'NOT_STARTED' });
    await first.start();
    const second = createNode({ bootstrap: first.multiaddrs() });
    nodes.push(first, second);
    await second.start();
    await until(() => second.subscribers(TOPIC).includes(first.self));
    await second.publish(TOPIC, new TextEncoder().encode('hello'));
    await until(() => received.length === 1);
    const channel = await second.open(first.self, PROTOCOL, LIMITS, { timeoutMs: 5000 });
    expect(await channel.receive()).toBeUndefined();
  });

  it('lets in as many from one network as its budget has, and the others when it comes back', async () => {
    const startedMs = performance.now();
    const first = createNode({ limits: { inboundPerPrefix: { burst: 2, perSecond: 1 } } });
    await first.start();
    nodes.push(first);
    for (let index = 0; index < 3; index += 1) {
      const other = createNode({ bootstrap: first.multiaddrs() });
      await other.start();
      nodes.push(other);
    }
    await until(() => first.connectedPeers().length === 2);
    await until(() => first.connectedPeers().length === 3);
    expect(performance.now() - startedMs).toBeGreaterThan(900);
  });

  it('gives the places before the handshake back, however a connection ends', async () => {
    const first = createNode({ limits: { pendingPerPrefix: 2 } });
    await first.start();
    nodes.push(first);
    const port = Number(/\/tcp\/(\d+)/.exec(first.multiaddrs()[0]!)![1]);
    const open = () => connect(port, '127.0.0.1').on('error', () => {});
    const silent = [open(), open()];
    await Promise.all(silent.map((socket) => once(socket, 'connect')));
    await new Promise((resolve) => open().once('close', resolve));
    silent[0]!.resetAndDestroy();
    silent[1]!.end('this is no handshake');
    for (let index = 0; index < 4; index += 1) {
      const other = createNode({ bootstrap: first.multiaddrs() });
      await other.start();
      nodes.push(other);
      await until(() => first.isConnected(other.self));
    }
    expect(first.connectedPeers()).toHaveLength(4);
  });
});
