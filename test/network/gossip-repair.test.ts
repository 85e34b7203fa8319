import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { GossipRepair } from '../../src/network/libp2p/gossip-repair.ts';
import { GossipTopics } from '../../src/network/libp2p/gossip-topics.ts';
import { type Host, stopHost } from '../../src/network/libp2p/host.ts';
import { fastClock, newHost } from './libp2p-hosts.ts';
import { until } from './libp2p-nodes.ts';

const TOPIC = '/test/topic/1';

interface Node {
  readonly host: Host;
  readonly topics: GossipTopics;
  readonly repair: GossipRepair;
  readonly changes: string[];
}

async function startNode(): Promise<Node> {
  const host = await newHost({ topics: [TOPIC] });
  const changes: string[] = [];
  const topics = new GossipTopics(host.services.pubsub, {
    maxGossipBytes: 4096,
    clock: systemClock,
    logger: silentLogger,
    isConnected: () => true,
    subscribersChanged: (topic) => changes.push(topic),
  });
  const repair = new GossipRepair({
    clock: fastClock(100),
    identify: host.services.identify,
    connections: () => host.getConnections(),
    isReachable: (peer) => topics.isReachable(peer),
    repaired: (peer) => topics.awaitReachable(peer),
  });
  await host.start();
  topics.listen(TOPIC);
  return { host, topics, repair, changes };
}

describe('a gossip stream that ended while its peer stayed', () => {
  let nodes: Node[] = [];

  afterEach(async () => {
    for (const node of nodes) {
      node.repair.stop();
      node.topics.stop();
      await stopHost(node.host);
    }
    nodes = [];
  });

  it('is opened again, and the subscriber is told of again', async () => {
    const [here, there] = [await startNode(), await startNode()];
    nodes = [here, there];
    await here.host.dial(there.host.getMultiaddrs());
    const peer = there.host.peerId.toString();
    await until(() => here.topics.subscribers(TOPIC).includes(peer));
    const [stream] = here.host
      .getConnections()
      .flatMap((connection) => connection.streams)
      .filter((one) => one.direction === 'outbound' && one.protocol.startsWith('/meshsub/'));
    stream!.abort(new Error('cut'));
    expect(here.topics.subscribers(TOPIC)).toEqual([]);
    here.changes.length = 0;
    here.repair.start();
    there.repair.start();
    await until(() => here.changes.includes(TOPIC));
    expect(here.topics.subscribers(TOPIC)).toEqual([peer]);
    await until(() => there.topics.subscribers(TOPIC).includes(here.host.peerId.toString()));
  });
});
