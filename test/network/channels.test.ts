import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { Channel, ProtocolLimits, Underlay } from '../../src/network/underlay.ts';
import { createNode, startNodes, stopAll, until } from './libp2p-nodes.ts';

const PROTOCOL = '/test/channel/1';
const LIMITS: ProtocolLimits = { maxFrameBytes: 64 * 1024, maxChannels: 8, maxChannelsPerPeer: 4 };
const OPEN = { timeoutMs: 5000 };
const FRAMES = 200;
const PEER_PROCESS = fileURLToPath(new URL('./peer-process.ts', import.meta.url));

describe('channels over libp2p', () => {
  let nodes: Underlay[] = [];
  let child: ChildProcess | undefined;

  afterEach(async () => {
    child?.kill('SIGKILL');
    child = undefined;
    await stopAll(nodes);
    nodes = [];
  });

  it('make the sender wait for a reader that does not read', async () => {
    let inbound: Channel | undefined;
    nodes = await startNodes(2, {}, (node) => {
      node.handle(PROTOCOL, LIMITS, (channel) => {
        inbound = channel;
      });
    });
    const outbound = await nodes[0]!.open(nodes[1]!.self, PROTOCOL, LIMITS, OPEN);
    let handedOn = 0;
    const sending = (async () => {
      for (let index = 0; index < FRAMES; index += 1) {
        await outbound.send(new Uint8Array(LIMITS.maxFrameBytes).fill(index));
        handedOn += 1;
      }
      await outbound.close();
    })();
    let stalledAt = -1;
    await until(() => {
      const stands = handedOn > 0 && handedOn === stalledAt;
      stalledAt = handedOn;
      return stands;
    });
    expect(handedOn).toBeLessThan(FRAMES);
    for (let index = 0; index < FRAMES; index += 1) {
      const frame = await inbound!.receive();
      expect(frame?.byteLength).toBe(LIMITS.maxFrameBytes);
      expect(frame?.[0]).toBe(index % 256);
    }
    expect(await inbound!.receive()).toBeUndefined();
    await sending;
    expect(handedOn).toBe(FRAMES);
  });

  it('deliver everything when both sides end while the reader is behind', async () => {
    let inbound: Channel | undefined;
    nodes = await startNodes(2, {}, (node) => {
      node.handle(PROTOCOL, LIMITS, (channel) => {
        inbound = channel;
        void channel.close();
      });
    });
    const outbound = await nodes[0]!.open(nodes[1]!.self, PROTOCOL, LIMITS, OPEN);
    for (let index = 0; index < 6; index += 1) await outbound.send(new Uint8Array(LIMITS.maxFrameBytes));
    await outbound.close();
    await Promise.all([outbound.ended, inbound!.ended]);
    for (let index = 0; index < 6; index += 1) {
      expect((await inbound!.receive())?.byteLength).toBe(LIMITS.maxFrameBytes);
    }
    expect(await inbound!.receive()).toBeUndefined();
  });

  it('do not end quietly when the other process is killed', async () => {
    let inbound: Channel | undefined;
    const node = createNode();
    nodes = [node];
    node.handle(PROTOCOL, LIMITS, (channel) => {
      inbound = channel;
    });
    await node.start();
    child = fork(PEER_PROCESS, ['open', PROTOCOL, node.self, ...node.multiaddrs()]);
    await until(() => inbound !== undefined);
    expect(await inbound!.receive()).toEqual(new TextEncoder().encode('hello'));
    const waiting = inbound!.receive().catch((error: unknown) => error);
    child.kill('SIGKILL');
    expect(await waiting).toMatchObject({ code: 'CHANNEL_CLOSED' });
    await inbound!.ended;
    await until(() => node.connectedPeers().length === 0);
  });

  it('leave nothing behind that keeps a process alive', async () => {
    const node = createNode();
    nodes = [node];
    node.handle(PROTOCOL, LIMITS, () => {});
    node.subscribe('/test/topic/1', () => 'accept');
    await node.start();
    child = fork(PEER_PROCESS, ['visit', PROTOCOL, node.self, ...node.multiaddrs()]);
    const [report] = await once(child, 'message');
    const reportedMs = performance.now();
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
    expect(report.stopTookMs).toBeLessThan(1000);
    expect(performance.now() - reportedMs).toBeLessThan(400);
  });
});
