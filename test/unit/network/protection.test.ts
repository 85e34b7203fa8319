import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../../src/domain/market/evidence.ts';
import type { BidRequest } from '../../../src/domain/market/bid.ts';
import { envelopeOf } from '../../../src/messages/envelope.ts';
import { encodeFrame } from '../../../src/messages/frame.ts';
import type { NetworkLimits } from '../../../src/network/options.ts';
import type { Standing } from '../../../src/provider/ports.ts';
import {
  MarketWorld,
  names,
  openRaw,
  type ScriptedProvider,
  scriptedProvider,
  tapGossip,
} from './market-world.ts';

function messageOf(request: Evidence<BidRequest>): Uint8Array {
  return encodeFrame({ kind: 'bid-request', body: envelopeOf(request) });
}

/** The same, with a signature that does not hold: what is not checked is not refused for it. */
function forged(request: Evidence<BidRequest>): Uint8Array {
  return encodeFrame({
    kind: 'bid-request',
    body: { ...envelopeOf(request), signature: new Uint8Array(64) },
  });
}

/** A provider that thinks of requesters what the test says, and says nothing. */
async function guarded(limits: Partial<NetworkLimits> = {}) {
  const world = new MarketWorld({}, limits);
  const standings = new Map<string, Standing>();
  const heard: string[] = [];
  const desk: ScriptedProvider = scriptedProvider(world.notary('provider'), {
    requesters: {
      standing: (claimed) => standings.get(claimed) ?? 'stranger',
      heard: (requester) => void heard.push(requester),
      unreachable: (requester) => void desk.calls.push(`unreachable ${requester}`),
    },
    answer: async (request) => {
      desk.calls.push(`answer ${request.value.requestId}`);
      return { kind: 'silence', reason: 'test' };
    },
  });
  const tap = tapGossip(world.simulation.node(world.notary('provider').self));
  const { simulated, gossip: from, restrained, heldBack } = tap;
  const node = await world.node('provider', { provider: desk }, true, simulated);
  const request = (name: string, requestId: string): Evidence<BidRequest> =>
    world.request({ notary: world.notary(name) }, { requestId });
  return {
    world,
    desk,
    node,
    standings,
    heard,
    from,
    request,
    restrained,
    heldBack,
    counters: () => node.network.counters(),
  };
}

describe('before a signature is looked at', () => {
  it('a neighbour may hand on so much and no more, whoever it is from', async () => {
    const { world, from, request, counters } = await guarded({
      gossipPerNeighbour: { burst: 2, perSecond: 1 },
    });
    const verdicts = ['1', '2', '3'].map((id) => from('neighbour', messageOf(request(`r${id}`, id))));
    expect(verdicts).toEqual(['accept', 'accept', 'ignore']);
    expect(from('neighbour', forged(request('r4', '4')))).toBe('ignore');
    expect(from('another', messageOf(request('r5', '5')))).toBe('accept');
    await world.clock.advanceBy(1000);
    expect(from('neighbour', messageOf(request('r6', '6')))).toBe('accept');
    expect(counters()).toMatchObject({ 'gossip.surplus': 2, 'gossip.request': 4 });
    expect(counters()['gossip.BAD_SIGNATURE']).toBeUndefined();
  });

  it('a busy neighbour may still hand on what regulars have signed, but not what bears their names', async () => {
    const { world, standings, from, request, counters } = await guarded({
      gossipPerNeighbour: { burst: 1, perSecond: 1 },
      gossipOfEstablishedPerNeighbour: { burst: 2, perSecond: 1 },
    });
    standings.set(world.notary('established').self, 'established');
    expect(from('neighbour', messageOf(request('stranger', '1')))).toBe('accept');
    expect(from('neighbour', messageOf(request('stranger', '2')))).toBe('ignore');
    expect(from('neighbour', messageOf(request('established', '3')))).toBe('accept');
    expect(from('neighbour', forged(request('established', '4')))).toBe('reject');
    expect(from('neighbour', messageOf(request('established', '5')))).toBe('ignore');
    expect(counters()).toMatchObject({ 'gossip.surplus': 2, 'gossip.BAD_SIGNATURE': 1 });
  });

  it('strangers share a rate for what they bring themselves, and another for what others hand on of them', async () => {
    const { world, standings, from, request, counters } = await guarded({
      gossipOfStrangers: { burst: 2, perSecond: 1 },
      gossipOfStrangersHandedOn: { burst: 1, perSecond: 1 },
    });
    const itself = (name: string, id: string) => from(world.notary(name).self, messageOf(request(name, id)));
    expect(['a', 'b', 'c'].map((name) => itself(name, '1'))).toEqual(['accept', 'accept', 'ignore']);
    expect(['d', 'e'].map((name) => from('neighbour', messageOf(request(name, '1'))))).toEqual([
      'accept',
      'ignore',
    ]);
    standings.set(world.notary('c').self, 'established');
    expect(itself('c', '2')).toBe('accept');
    expect(from('neighbour', messageOf(request('c', '3')))).toBe('accept');
    await world.clock.advanceBy(1000);
    expect(itself('a', '4')).toBe('accept');
    expect(counters()).toMatchObject({ 'gossip.surplus': 2, 'gossip.request': 6 });
  });

  it('a neighbour that goes on in its own name when strangers have used up their rate is held back, and let go of', async () => {
    const { world, standings, from, request, restrained, heldBack, counters } = await guarded({
      gossipOfStrangers: { burst: 1, perSecond: 0.1 },
    });
    const self = (name: string): string => world.notary(name).self;
    const own = (name: string, id: string) => from(self(name), messageOf(request(name, id)));
    standings.set(self('shut'), 'shut');
    standings.set(self('established'), 'established');
    expect(own('shut', '1')).toBe('ignore');
    for (const id of ['2', '3']) own('shut', id);
    for (const id of ['4', '5']) own('another', id);
    expect(restrained).toEqual([]);
    expect(heldBack).toEqual([self('shut'), self('shut'), self('another'), self('another')]);
    own('shut', '6');
    expect(restrained).toEqual([self('shut')]);
    for (const id of ['7', '8', '9']) {
      expect(own('established', id)).toBe('accept');
      expect(from('neighbour', messageOf(request('another', id)))).toBe('accept');
    }
    expect(restrained).toHaveLength(1);
    own('another', '10');
    expect(restrained).toEqual([self('shut'), self('another')]);
    await world.clock.advanceBy(4000);
    own('another', '11');
    expect(restrained).toHaveLength(2);
    expect(counters()).toMatchObject({ 'peer.restrained': 2, 'peer.held-back': 5 });
  });

  it('a requester over its rate is not looked at, nor handed on', async () => {
    const { world, desk, standings, heard, from, request, counters } = await guarded();
    standings.set(world.notary('greedy').self, 'shut');
    expect(from('neighbour', messageOf(request('greedy', '1')))).toBe('ignore');
    expect(from('neighbour', forged(request('greedy', '2')))).toBe('ignore');
    await world.clock.settle();
    expect(desk.calls.filter((call) => call.startsWith('answer'))).toEqual([]);
    expect(heard).toEqual([]);
    expect(counters()).toEqual({ 'gossip.surplus': 2 });
  });

  it('a requester over its rate is not read when it comes itself', async () => {
    const { world, node, standings, counters } = await guarded();
    const raw = await world.raw('greedy');
    standings.set(raw.peer, 'shut');
    const channel = await world.settled(openRaw(raw, node.peer, names.request));
    expect(await world.rejection(channel.receive())).toBe('CHANNEL_CLOSED');
    expect(counters()).toMatchObject({ 'request.OVER_RATE': 1 });
  });

  it('whoever goes on to send what is no request is restrained, on a channel as by gossip', async () => {
    const { world, node, from, restrained, counters } = await guarded();
    const raw = await world.raw('clumsy');
    for (let index = 0; index < 90; index += 1) {
      const channel = await world.settled(openRaw(raw, node.peer, names.request));
      await channel.send(Uint8Array.of(0xff));
      await world.rejection(channel.receive());
      expect(from(raw.peer, Uint8Array.of(0xff, index))).toBe('reject');
    }
    expect(counters()).toMatchObject({ 'fault.MALFORMED': 180, 'request.MALFORMED': 90 });
    expect(restrained[0]).toBe(raw.peer);
    expect(restrained.length).toBeGreaterThan(8);
  });

  it('what this node says itself is not counted against anybody', async () => {
    const { node, from, request } = await guarded({ gossipPerNeighbour: { burst: 1, perSecond: 1 } });
    const verdicts = ['1', '2', '3'].map((id) => from(node.peer, messageOf(request('provider', id))));
    expect(verdicts).toEqual(['accept', 'accept', 'accept']);
  });
});

it('counts against a requester what the provider does not get to see, and forged messages against nobody', async () => {
  const { world, heard, from, request } = await guarded({ answeringPerRequester: 1 });
  const { self } = world.notary('requester');
  const notice = (id: string): Uint8Array =>
    encodeFrame({
      kind: 'search-closed',
      body: envelopeOf(world.notary('requester').sign('search-closed', { requestId: id })),
    });
  const first = messageOf(request('requester', '1'));
  from('neighbour', first);
  from('neighbour', forged(request('requester', '2')));
  expect(heard).toEqual([]);
  // A repeat, a notice, its repeat, one that is closed already, one too many at once.
  for (const message of [first, notice('2'), notice('2')]) from('neighbour', message);
  from('neighbour', messageOf(request('requester', '2')));
  from('neighbour', messageOf(request('requester', '3')));
  expect(heard).toEqual(Array(5).fill(self));
});

describe('a requester whose certified addresses lead nowhere', () => {
  const bidding = (world: MarketWorld, standing: Standing = 'stranger'): ScriptedProvider => {
    const desk: ScriptedProvider = scriptedProvider(world.notary('provider'), {
      requesters: {
        standing: () => standing,
        heard: () => {},
        unreachable: (requester) => void desk.calls.push(`unreachable ${requester}`),
      },
    });
    return desk;
  };

  it('is not answered again for a while, and that is told', async () => {
    const world = new MarketWorld({}, { unreachableMs: 30_000 });
    const desk = bidding(world);
    const { simulated, gossip } = tapGossip(world.simulation.node(world.notary('provider').self));
    const { network } = await world.node('provider', { provider: desk }, true, simulated);
    const nobody = world.notary('nobody');
    const ask = async (requestId: string): Promise<void> => {
      gossip('neighbour', messageOf(world.request({ notary: nobody }, { requestId })));
      await world.clock.advanceBy(12_000);
    };
    await ask('1');
    await ask('2');
    expect(desk.calls).toEqual(['answer 1', `unreachable ${nobody.self}`, 'ended 1']);
    await ask('3');
    await ask('4');
    expect(desk.calls.slice(3)).toEqual(['answer 4', `unreachable ${nobody.self}`, 'ended 4']);
    expect(network.counters()).toMatchObject({ 'offer.PEER_UNREACHABLE': 2, 'answer.unreachable': 2 });
  });

  it('takes no more of the dials than strangers may have', async () => {
    for (const [standing, dials] of [
      ['stranger', 2],
      ['established', 3],
    ] as const) {
      const world = new MarketWorld({}, { dials: 3, dialsOfEstablished: 1 });
      const desk = bidding(world, standing);
      const { simulated, gossip } = tapGossip(world.simulation.node(world.notary('provider').self));
      const { network } = await world.node('provider', { provider: desk }, true, simulated);
      for (const name of ['a', 'b', 'c', 'd', 'e'])
        gossip('neighbour', messageOf(world.request({ notary: world.notary(name) }, { requestId: name })));
      await world.clock.advanceBy(15_000);
      expect(network.counters()).toMatchObject({
        'offer.PEER_UNREACHABLE': dials,
        'offer.DIALS_BUSY': 5 - dials,
      });
    }
  });
});
