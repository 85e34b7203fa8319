import { afterEach, describe, expect, it } from 'vitest';
import type { Channel, ProtocolLimits, Underlay } from '../../src/network/underlay.ts';
import { createNode, type NodeSetup, startNodes, stopAll, until } from './libp2p-nodes.ts';
import { newPrivateKey } from './private-key.ts';

const TOPIC = '/test/restraint/1';
const PROTOCOL = '/test/restrained/1';
const LIMITS: ProtocolLimits = { maxFrameBytes: 1024, maxChannels: 8, maxChannelsPerPeer: 4 };
const OPEN = { timeoutMs: 5000 };

/** Two nodes, of which the first one hears what the second one gossips. */
describe('restraint over libp2p', () => {
  let nodes: Underlay[] = [];
  let heard: number[] = [];

  afterEach(async () => {
    await stopAll(nodes);
    nodes = [];
    heard = [];
  });

  async function start(limits: NodeSetup['limits'] & {}): Promise<void> {
    nodes = await startNodes(2, { limits }, (node, index) => {
      node.subscribe(TOPIC, (_from, message) => {
        if (index === 0) heard.push(message[0] ?? -1);
        return 'accept';
      });
      node.handle(PROTOCOL, LIMITS, (channel) => void answer(channel));
    });
    await until(() => nodes.every((node) => node.subscribers(TOPIC).length === 1));
    await say(1);
    await until(() => heard.length === 1);
  }

  const say = (word: number): Promise<void> => nodes[1]!.publish(TOPIC, Uint8Array.of(word));

  async function answer(channel: Channel): Promise<void> {
    const frame = await channel.receive();
    if (frame !== undefined) await channel.send(frame);
    await channel.close();
  }

  it('reads a neighbour that answered this node again after a moment, and loses nothing of it', async () => {
    await start({ holdBackMs: 300, shunMs: 600_000 });
    const channel = await nodes[0]!.open(nodes[1]!.self, PROTOCOL, LIMITS, OPEN);
    await channel.send(Uint8Array.of(7));
    expect(await channel.receive()).toEqual(Uint8Array.of(7));
    const startedMs = performance.now();
    nodes[0]!.restrain?.(nodes[1]!.self, true);
    await say(2);
    await say(3);
    await until(() => heard.length === 3);
    expect(performance.now() - startedMs).toBeGreaterThan(250);
    expect(heard).toEqual([1, 2, 3]);
    expect(nodes[0]!.isConnected(nodes[1]!.self)).toBe(true);
  });

  it('reads a neighbour that sent too much for once again after a moment', async () => {
    await start({ holdBackMs: 300, shunMs: 600_000 });
    const startedMs = performance.now();
    nodes[0]!.restrain?.(nodes[1]!.self, false);
    await say(2);
    await until(() => heard.length === 2);
    expect(performance.now() - startedMs).toBeGreaterThan(250);
    expect(nodes[0]!.isConnected(nodes[1]!.self)).toBe(true);
  });

  it('lets go of a neighbour that never answered, and lets it in when that is over', async () => {
    await start({ holdBackMs: 1, shunMs: 400 });
    const startedMs = performance.now();
    nodes[0]!.restrain?.(nodes[1]!.self, true);
    await expect(nodes[0]!.open(nodes[1]!.self, PROTOCOL, LIMITS, OPEN)).rejects.toMatchObject({
      code: 'PEER_UNREACHABLE',
    });
    await say(2);
    await until(() => !nodes[0]!.isConnected(nodes[1]!.self));
    expect(performance.now() - startedMs).toBeGreaterThan(350);
    expect(heard).toEqual([1]);
    await until(() => nodes[0]!.isConnected(nodes[1]!.self));
  });

  it('lets go of a neighbour that was held back already', async () => {
    await start({ holdBackMs: 50, shunMs: 400 });
    nodes[0]!.restrain?.(nodes[1]!.self, false);
    nodes[0]!.restrain?.(nodes[1]!.self, true);
    await say(2);
    await until(() => !nodes[0]!.isConnected(nodes[1]!.self));
    expect(heard).toEqual([1]);
  });

  it('refuses connections from the network of one that it let go of', async () => {
    const privateKeyRaw = newPrivateKey();
    const inboundPerPrefix = { burst: 4, perSecond: 2 };
    await start({ holdBackMs: 1, shunMs: 600_000, inboundPerPrefix, letGoCost: 4 });
    nodes[0]!.restrain?.(nodes[1]!.self, true);
    const startedMs = performance.now();
    const other = createNode({ privateKeyRaw, bootstrap: nodes[0]!.multiaddrs() });
    nodes.push(other);
    await other.start();
    await until(() => nodes[0]!.isConnected(other.self));
    expect(performance.now() - startedMs).toBeGreaterThan(900);
  });

  it('does not let it in on another connection meanwhile', async () => {
    const privateKeyRaw = newPrivateKey();
    const [host] = (nodes = await startNodes(1, { limits: { shunMs: 600_000 } }));
    const dialler = (): Underlay =>
      createNode({ privateKeyRaw, bootstrap: host!.multiaddrs().slice(0, 1), listen: [] });
    const first = dialler();
    nodes.push(first);
    await first.start();
    await until(() => host!.isConnected(first.self));
    host!.restrain?.(first.self, true);
    await first.stop();
    await until(() => !host!.isConnected(first.self));
    const second = dialler();
    nodes.push(second);
    await second.start();
    const other = createNode({ bootstrap: host!.multiaddrs().slice(0, 1), listen: [] });
    nodes.push(other);
    await other.start();
    await until(() => host!.isConnected(other.self));
    expect(host!.isConnected(second.self)).toBe(false);
  });
});
