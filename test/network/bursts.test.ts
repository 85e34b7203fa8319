import { afterEach, describe, expect, it } from 'vitest';
import type { Channel, ProtocolLimits, Underlay } from '../../src/network/underlay.ts';
import { startNodes, stopAll } from './libp2p-nodes.ts';

const PROTOCOL = '/test/burst/1';
const LIMITS: ProtocolLimits = { maxFrameBytes: 1 << 20, maxChannels: 128, maxChannelsPerPeer: 16 };
const OPEN = { timeoutMs: 5000 };
const QUESTION = new Uint8Array(200).fill(1);
const ANSWER = new Uint8Array(256 * 1024).fill(2);

describe('a burst of channels', () => {
  let nodes: Underlay[] = [];

  afterEach(async () => {
    await stopAll(nodes);
    nodes = [];
  });

  it.each([17, 40, 200])(
    'loses those above the limit, and never the connection: %d at once',
    async (count) => {
      nodes = await startNodes(2, {}, (node) => {
        node.handle(PROTOCOL, LIMITS, (channel) => {
          void answer(channel).catch(() => {});
        });
      });
      const [near, far] = nodes;
      const lost: string[] = [];
      const faults: string[] = [];
      for (const node of nodes) {
        node.listen({
          peerConnected: () => {},
          peerDisconnected: (peer) => void lost.push(peer),
          subscribersChanged: () => {},
          faulted: (_peer, code) => void faults.push(code),
        });
      }
      const ask = async (): Promise<number> => {
        const channel = await near!.open(far!.self, PROTOCOL, LIMITS, OPEN);
        try {
          await channel.send(QUESTION);
          return (await channel.receive())?.byteLength ?? 0;
        } finally {
          channel.abort();
        }
      };
      const asked = await Promise.allSettled(Array.from({ length: count }, () => ask()));
      const got = asked.filter((one) => one.status === 'fulfilled' && one.value === ANSWER.byteLength);
      expect(got.length).toBeGreaterThanOrEqual(LIMITS.maxChannelsPerPeer);
      expect({ lost, faults }).toEqual({ lost: [], faults: [] });
      expect(await ask()).toBe(ANSWER.byteLength);
    },
  );
});

async function answer(channel: Channel): Promise<void> {
  await channel.receive();
  await channel.send(ANSWER);
  await channel.close();
}
