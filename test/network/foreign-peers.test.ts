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

  async function start(network: string, setup: NodeSetup = {}): Promise<Underlay> {
    const node = createNode({ network, ...setup });
    node.handle(`/bidmesh/${network}/negotiation/2`, LIMITS, (channel) => void channel.close());
    nodes.push(node);
    await node.start();
    return node;
  }

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
