import { describe, expect, it } from 'vitest';
import { MarketWorld, RecordingListener, scriptedProvider, type WorldNode } from './market-world.ts';

interface Town {
  readonly world: MarketWorld;
  readonly requester: WorldNode;
  /** Whom each provider's desk was asked by, by name. */
  readonly asked: (name: string) => readonly string[];
  readonly node: (name: string) => WorldNode;
}

async function town(...names: readonly string[]): Promise<Town> {
  const world = new MarketWorld();
  const requester = await world.node('requester', {
    provider: scriptedProvider(world.notary('requester')),
  });
  const desks = new Map(names.map((name) => [name, scriptedProvider(world.notary(name))]));
  const nodes = new Map<string, WorldNode>([['requester', requester]]);
  for (const [name, provider] of desks) nodes.set(name, await world.node(name, { provider }));
  await world.clock.settle();
  const node = (name: string): WorldNode => {
    const found = nodes.get(name);
    if (found === undefined) throw new Error(`no node called ${name}`);
    return found;
  };
  return {
    world,
    requester,
    node,
    asked: (name) => (desks.get(name)?.calls ?? []).filter((call) => call.startsWith('answer')),
  };
}

const recordOf = (peer: string): Uint8Array => new TextEncoder().encode(peer);

describe('a request to chosen providers', () => {
  it('goes to them and to nobody else', async () => {
    const { world, requester, node, asked } = await town('a', 'b', 'c');
    const listener = new RecordingListener();
    const targets = ['a', 'b'].map((name) => ({ peer: node(name).peer }));
    const open = requester.network.market.openRequest(world.request(requester), listener, targets);
    expect(open.audience()).toEqual(new Set(targets.map(({ peer }) => peer)));
    await world.clock.advanceBy(1000);
    expect(listener.bids.map(([bid]) => bid.signer).toSorted()).toEqual(
      targets.map(({ peer }) => peer).toSorted(),
    );
    expect([asked('a'), asked('b'), asked('c')]).toEqual([['answer request-1'], ['answer request-1'], []]);
    expect(node('c').network.counters()).not.toHaveProperty('gossip.request');
  });

  it('goes to this node only when it was chosen', async () => {
    const { world, requester, node } = await town('a');
    const { market } = requester.network;
    const listener = new RecordingListener();
    market.openRequest(world.request(requester), listener, [{ peer: node('a').peer }]).close();
    const toSelf = world.request(requester, { requestId: 'request-2' });
    market.openRequest(toSelf, listener, [{ peer: requester.peer }]);
    await world.clock.advanceBy(1000);
    expect(listener.bids.map(([bid]) => bid.signer)).toEqual([requester.peer]);
  });

  it('loses from its audience whom it cannot reach', async () => {
    const { world, requester, node } = await town('a', 'b');
    const listener = new RecordingListener();
    const { peer } = node('b');
    node('b').simulated.crash();
    await world.clock.advanceBy(1000);
    const targets = [{ peer: node('a').peer }, { peer, peerRecord: recordOf(peer) }];
    const open = requester.network.market.openRequest(world.request(requester), listener, targets);
    await world.clock.runUntil(() => listener.audienceChanges === 2, 60_000);
    expect(open.audience()).toEqual(new Set([node('a').peer]));
  });

  it('has nobody to wait for when nobody was chosen', async () => {
    const { world, requester, asked } = await town('a');
    const listener = new RecordingListener();
    const open = requester.network.market.openRequest(world.request(requester), listener, []);
    await world.clock.advanceBy(1000);
    expect([open.audience().size, asked('a'), listener.bids]).toEqual([0, [], []]);
  });

  it('does not go to providers that come later', async () => {
    const { world, requester, node } = await town('a');
    const open = requester.network.market.openRequest(world.request(requester), new RecordingListener(), [
      { peer: node('a').peer },
    ]);
    const late = scriptedProvider(world.notary('late'));
    await world.node('late', { provider: late });
    await world.clock.advanceBy(1000);
    expect(late.calls.filter((call) => call.startsWith('answer'))).toEqual([]);
    expect(open.audience()).toEqual(new Set([node('a').peer]));
  });

  it('ends without a word to those who never heard of it', async () => {
    const { world, requester, node } = await town('a', 'b');
    const listener = new RecordingListener();
    const open = requester.network.market.openRequest(world.request(requester), listener, [
      { peer: node('a').peer },
    ]);
    await world.clock.runUntil(() => listener.bids.length > 0, 1000);
    open.close();
    await world.clock.advanceBy(1000);
    for (const name of ['a', 'b']) expect(node(name).network.counters()).not.toHaveProperty('gossip.closed');
  });
});
