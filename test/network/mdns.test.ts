import { createSocket } from 'node:dgram';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { mdnsServiceTag } from '../../src/network/libp2p/discovery.ts';
import type { Underlay } from '../../src/network/underlay.ts';
import { createNode, stopAll, until } from './libp2p-nodes.ts';

const GROUP = '224.0.0.251';
const REPLY_WITHIN_MS = 500;

/** True when a datagram to the group comes back to a member on this machine. */
async function multicastWorks(): Promise<boolean> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  try {
    socket.bind(0);
    await once(socket, 'listening');
    socket.addMembership(GROUP);
    const reply = once(socket, 'message', { signal: AbortSignal.timeout(REPLY_WITHIN_MS) });
    socket.send('probe', socket.address().port, GROUP);
    await reply;
    return true;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}

describe('discovery on the local network', () => {
  let nodes: Underlay[] = [];

  afterEach(async () => {
    await stopAll(nodes);
    nodes = [];
  });

  it('connects nodes of one network and no others', async (context) => {
    if (!(await multicastWorks())) context.skip('multicast does not work here');
    const network = `test-${randomBytes(6).toString('hex')}`;
    const stranger = createNode({ network: `${network}-other`, mdns: true });
    const [first, second] = [createNode({ network, mdns: true }), createNode({ network, mdns: true })];
    nodes = [stranger, first, second];
    for (const node of nodes) await node.start();
    await until(() => first.isConnected(second.self));
    expect(stranger.connectedPeers()).toEqual([]);
  });

  it('has a tag per network that is a DNS label', () => {
    expect(mdnsServiceTag('bidmesh')).toBe('_bidmesh-bidmesh._udp.local');
    const odd = ['My Network', 'my-network', 'my_network', 'x'.repeat(80), `${'x'.repeat(80)}y`];
    const labels = odd.map((name) => mdnsServiceTag(name).split('.')[0] ?? '');
    expect(new Set(labels).size).toBe(odd.length);
    expect(labels.every((label) => /^_[a-z0-9-]{1,62}$/.test(label))).toBe(true);
  });
});
