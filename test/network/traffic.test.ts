import { afterEach, describe, expect, it } from 'vitest';
import type { Channel, ProtocolLimits, Underlay } from '../../src/network/underlay.ts';
import { startNodes, stopAll, until } from './libp2p-nodes.ts';

const PROTOCOL = '/test/traffic/1';
const LIMITS: ProtocolLimits = { maxFrameBytes: 1024, maxChannels: 8, maxChannelsPerPeer: 4 };
const OPEN = { timeoutMs: 5000 };
/** A handler that is this slow for each frame. */
const BUSY_MS = 4;

describe('traffic over libp2p', () => {
  let nodes: Underlay[] = [];
  let workedMs: Map<string, number>;

  afterEach(() => stopAll(nodes));

  async function start(): Promise<void> {
    workedMs = new Map();
    nodes = await startNodes(2, {}, (node, index) => {
      node.handle(PROTOCOL, LIMITS, (channel) => void echo(channel).catch(() => {}));
      if (index !== 0) return;
      node.listen({
        peerConnected: () => {},
        peerDisconnected: () => {},
        subscribersChanged: () => {},
        worked: (peer, workMs) => workedMs.set(peer, (workedMs.get(peer) ?? 0) + workMs),
      });
    });
  }

  async function echo(channel: Channel): Promise<void> {
    for (;;) {
      const frame = await channel.receive();
      if (frame === undefined) break;
      for (const startedMs = performance.now(); performance.now() - startedMs < BUSY_MS; );
      await channel.send(frame);
    }
    await channel.close();
  }

  it('tells how long it worked on what a peer sent', async () => {
    await start();
    const [near, far] = nodes as [Underlay, Underlay];
    const channel = await far.open(near.self, PROTOCOL, LIMITS, OPEN);
    const beforeMs = workedMs.get(far.self) ?? 0;
    for (let round = 0; round < 10; round += 1) {
      await channel.send(Uint8Array.of(round));
      await channel.receive();
    }
    await until(() => (workedMs.get(far.self) ?? 0) - beforeMs >= 10 * BUSY_MS);
    expect([...workedMs.keys()]).toEqual([far.self]);
  });

  it('reads nothing of a peer that is held back, over whatever connection, until its time is over', async () => {
    await start();
    const [near, far] = nodes as [Underlay, Underlay];
    const channel = await far.open(near.self, PROTOCOL, LIMITS, OPEN);
    near.holdBack?.(far.self, 300);
    near.holdBack?.(far.self, 100);
    const startedMs = performance.now();
    await channel.send(Uint8Array.of(7));
    expect(await channel.receive()).toEqual(Uint8Array.of(7));
    expect(performance.now() - startedMs).toBeGreaterThan(290);
  });

  it('knows the network of a peer, and whom its user named', async () => {
    await start();
    const [first, second] = nodes as [Underlay, Underlay];
    expect(first.prefixOf?.(second.self)).toBe('ip4/7f0000');
    expect(second.prefixOf?.(first.self)).toBe('ip4/7f0000');
    expect(first.prefixOf?.('nobody')).toBeUndefined();
    expect(second.isNamed?.(first.self)).toBe(true);
    expect(first.isNamed?.(second.self)).toBe(false);
  });
});
