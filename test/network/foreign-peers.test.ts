import { afterEach, describe, expect, it } from 'vitest';
import type { ProtocolLimits, Underlay } from '../../src/network/underlay.ts';
import { createNode, type NodeSetup, stopAll, until } from './libp2p-nodes.ts';

const LIMITS: ProtocolLimits = { maxFrameBytes: 1024, maxChannels: 32, maxChannelsPerPeer: 32 };

describe('a bootstrap peer of another network', () => {
  let nodes: Underlay[] = [];

  afterEach(async () => {
    await stopAll(nodes);
    nodes = [];
  });

  async function start(network: string, setup: NodeSetup = {}, version = 2): Promise<Underlay> {
    const node = createNode({ network, ...setup });
    node.handle(`/bidmesh/${network}/negotiation/${version}`, LIMITS, (channel) => void channel.close());
    nodes.push(node);
    await node.start();
    return node;
  }

  it('and one of this network whose protocols are older is known for it, and is told that nobody speaks its own', async () => {
    const older = await start('lab', {}, 1);
    const here = await start('lab', { bootstrap: older.multiaddrs() });
    await until(() => here.foreignPeers().length === 1);
    expect(here.foreignPeers()).toEqual([{ peer: older.self, network: 'lab', release: 'older' }]);
    const asked = older.open(here.self, '/bidmesh/lab/negotiation/1', LIMITS, { timeoutMs: 5000 });
    await expect(asked).rejects.toMatchObject({ code: 'PROTOCOL_UNSUPPORTED' });
    expect(here.isConnected(older.self)).toBe(true);
  });

  it('is known as such as soon as it has said what it speaks, by both sides', async () => {
    const theirs = await start('elsewhere');
    const ours = await start('lab');
    const here = await start('lab', { bootstrap: [...theirs.multiaddrs(), ...ours.multiaddrs()] });
    await until(() => here.foreignPeers().length === 1 && theirs.foreignPeers().length === 1);
    expect(here.foreignPeers()).toEqual([{ peer: theirs.self, network: 'elsewhere' }]);
    expect(theirs.foreignPeers()).toEqual([{ peer: here.self, network: 'lab' }]);
    await until(() => here.isConnected(ours.self));
    expect(ours.foreignPeers()).toEqual([]);
    await theirs.stop();
    await until(() => here.foreignPeers().length === 0);
  });
});
