import { afterEach, describe, expect, it } from 'vitest';
import type { Underlay } from '../../src/network/underlay.ts';
import { createNode, type NodeSetup, startNodes, stopAll, until } from './libp2p-nodes.ts';

const TOPIC = '/test/topic/1';
const ONE_ADDRESS = 12;
const WARM_UP = 'warm-up';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (message: Uint8Array): string => new TextDecoder().decode(message);

describe('gossip over libp2p', () => {
  let nodes: Underlay[] = [];
  let seen: Map<Underlay, string[]>;

  afterEach(async () => {
    await stopAll(nodes);
    nodes = [];
  });

  function listenAll(node: Underlay): void {
    node.subscribe(TOPIC, (_, message) => {
      seen.get(node)?.push(text(message));
      return 'accept';
    });
  }

  async function start(count: number, setup: NodeSetup & { readonly links?: 'first' } = {}): Promise<void> {
    seen = new Map();
    nodes = await startNodes(count, setup, (node) => {
      seen.set(node, []);
      listenAll(node);
    });
  }

  const others = (publisher: Underlay): Underlay[] => nodes.filter((node) => node !== publisher);
  const arrived = (node: Underlay, message: string): boolean => seen.get(node)?.includes(message) === true;

  /**
   * The mesh between nodes that only share a neighbour takes a heartbeat to form. A message from before that may
   * not arrive, so this sends until every node has heard one.
   */
  async function untilMeshed(publisher: Underlay): Promise<void> {
    let sent = 0;
    await until(() => {
      sent += 1;
      void publisher.publish(TOPIC, bytes(`${WARM_UP} ${publisher.self} ${sent}`));
      return others(publisher).every((node) =>
        seen.get(node)!.some((message) => message.startsWith(`${WARM_UP} ${publisher.self}`)),
      );
    });
  }

  const heardBy = (node: Underlay): string[] =>
    seen.get(node)!.filter((message) => !message.startsWith(WARM_UP));

  it('reaches five nodes that only know the first one', async () => {
    await start(5, { links: 'first' });
    const publisher = nodes[4]!;
    await untilMeshed(publisher);
    const sent = Array.from({ length: 20 }, (_, index) => `message ${index}`);
    for (const message of sent) await publisher.publish(TOPIC, bytes(message));
    await until(() => others(publisher).every((node) => sent.every((message) => arrived(node, message))));
    for (const node of others(publisher)) {
      const counts = sent.map((message) => heardBy(node).filter((one) => one === message).length);
      expect(counts).toEqual(sent.map(() => 1));
    }
    expect(heardBy(publisher)).toEqual([]);
  });

  it(`loses nothing between ${ONE_ADDRESS} nodes on one address`, async () => {
    await start(ONE_ADDRESS, { links: 'first' });
    const publishers = [nodes[0]!, nodes[5]!, nodes[11]!];
    for (const publisher of publishers) await untilMeshed(publisher);
    const sent = publishers.flatMap((_, index) =>
      Array.from({ length: 20 }, (__, count) => ({ from: index, text: `${index}/${count}` })),
    );
    for (const message of sent) await publishers[message.from]!.publish(TOPIC, bytes(message.text));
    await until(() =>
      sent.every((message) => others(publishers[message.from]!).every((node) => arrived(node, message.text))),
    );
    const losses = sent.flatMap((message) =>
      others(publishers[message.from]!).filter((node) => !arrived(node, message.text)),
    );
    expect(losses).toEqual([]);
  });

  it('tells of a subscriber only when a message can reach it', async () => {
    await start(1);
    const [first] = nodes;
    let published = 0;
    first!.listen({
      peerConnected: () => {},
      peerDisconnected: () => {},
      subscribersChanged: (topic) => {
        if (first!.subscribers(topic).length === 0 || published > 0) return;
        published += 1;
        void first!.publish(topic, bytes('welcome'));
      },
    });
    const late = createNode({ bootstrap: first!.multiaddrs() });
    seen.set(late, []);
    listenAll(late);
    await late.start();
    nodes.push(late);
    await until(() => arrived(late, 'welcome'));
    expect(first!.subscribers(TOPIC)).toEqual([late.self]);
  });

  it('does not pass on what a node refuses', async () => {
    seen = new Map();
    nodes = await startNodes(3, { links: 'first' }, (node, index) => {
      seen.set(node, []);
      node.subscribe(TOPIC, (_, message) => {
        seen.get(node)?.push(text(message));
        return index === 0 && text(message).startsWith('bad') ? 'reject' : 'accept';
      });
    });
    const [middle, publisher, far] = nodes;
    await untilMeshed(publisher!);
    await publisher!.publish(TOPIC, bytes('bad'));
    await publisher!.publish(TOPIC, bytes('good'));
    await until(() => arrived(far!, 'good'));
    expect(heardBy(middle!)).toEqual(['bad', 'good']);
    expect(heardBy(far!)).toEqual(['good']);
  });
});
