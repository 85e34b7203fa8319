import { describe, expect, it } from 'vitest';
import { reachedTag } from '../../../src/domain/market/reached.ts';
import { identityOf } from '../../../src/identity/key-pair.ts';
import { createNotary } from '../../../src/identity/notary.ts';
import { encodeCanonical } from '../../../src/lib/canonical.ts';
import { envelopeOf } from '../../../src/messages/envelope.ts';
import { encodeFrame } from '../../../src/messages/frame.ts';
import { MESSAGE_VERSIONS } from '../../../src/messages/versions.ts';
import type { GossipVerdict } from '../../../src/network/underlay.ts';
import { SeededRandom } from '../../simulation/seeded-random.ts';
import * as sample from '../messages/samples.ts';
import {
  MarketWorld,
  names,
  NETWORK,
  openRaw,
  RecordingListener,
  type ScriptedProvider,
  scriptedProvider,
} from './market-world.ts';

const silent: Partial<ScriptedProvider> = { answer: async () => ({ kind: 'silence', reason: 'test' }) };

function bidRequestMessage(evidence: ReturnType<MarketWorld['request']>): Uint8Array {
  return encodeFrame({ kind: 'bid-request', body: envelopeOf(evidence) });
}

describe('a bid request', () => {
  it('is heard by all subscribers and by the own provider, who are its audience', async () => {
    const world = new MarketWorld();
    const own = scriptedProvider(world.notary('requester'));
    const other = scriptedProvider(world.notary('provider'));
    const requester = await world.node('requester', { provider: own });
    const provider = await world.node('provider', { provider: other });
    await world.node('watcher');
    const listener = new RecordingListener();
    expect(requester.network.market.audience()).toHaveLength(2);
    const open = requester.network.market.openRequest(world.request(requester), listener);
    expect([...open.audience()].toSorted()).toEqual([provider.peer, requester.peer].toSorted());
    await world.clock.advanceBy(1000);
    expect(listener.bids.map(([bid]) => bid.signer).toSorted()).toEqual(
      [provider.peer, requester.peer].toSorted(),
    );
    expect(own.calls).toContain('answer request-1');
  });

  it('serves a lone node, through lock and contract', async () => {
    const world = new MarketWorld();
    const desk = scriptedProvider(world.notary('requester'));
    const { network, notary, peer } = await world.node('requester', { provider: desk });
    const listener = new RecordingListener();
    network.market.openRequest(world.request({ notary }), listener);
    await world.clock.settle();
    const negotiation = listener.bids[0]![1];
    expect((await world.settled(negotiation.requestLock(sample.jobRequest(), 1000))).type).toBe('bid');
    const proposal = sample.proposal(notary, peer);
    expect(await world.settled(negotiation.propose(proposal, 1000))).toEqual(
      sample.signedContract(proposal, notary),
    );
    negotiation.close();
    await world.clock.settle();
    expect(desk.calls).toEqual(['answer request-1', 'lock job-1.v1.p0r0.a0', 'accept', 'ended request-1']);
  });

  it('leaves the own provider out when own jobs are off', async () => {
    const world = new MarketWorld();
    const { network } = await world.node(
      'requester',
      { provider: scriptedProvider(world.notary('requester')) },
      false,
    );
    expect(network.market.audience()).toEqual([]);
  });

  it('goes directly to a subscriber that comes while it is open, once, and not after', async () => {
    const world = new MarketWorld();
    const requester = await world.node('requester');
    const listener = new RecordingListener();
    const open = requester.network.market.openRequest(world.request(requester), listener);
    expect(open.audience().size).toBe(0);
    const late = scriptedProvider(world.notary('late'));
    const lateNode = await world.node('late', { provider: late });
    await world.clock.advanceBy(1000);
    expect(open.audience()).toEqual(new Set([lateNode.peer]));
    expect(listener.audienceChanges).toBe(1);
    expect(listener.bids.map(([bid]) => bid.signer)).toEqual([lateNode.peer]);
    open.close();
    const tooLate = scriptedProvider(world.notary('too-late'));
    await world.node('too-late', { provider: tooLate });
    await world.clock.advanceBy(1000);
    expect(tooLate.calls).toEqual([`connected ${requester.peer}`, `connected ${lateNode.peer}`]);
  });

  it('loses from its audience who goes away', async () => {
    const world = new MarketWorld();
    const requester = await world.node('requester');
    const provider = await world.node('provider', {
      provider: scriptedProvider(world.notary('provider'), silent),
    });
    const listener = new RecordingListener();
    const open = requester.network.market.openRequest(world.request(requester), listener);
    provider.simulated.crash();
    await world.clock.advanceBy(2000);
    expect(open.audience().size).toBe(0);
    expect(listener.audienceChanges).toBe(1);
  });

  it('that is too large for gossip goes directly to each subscriber, the own provider too', async () => {
    const world = new MarketWorld();
    const desks = ['requester', 'provider'].map((name) => scriptedProvider(world.notary(name)));
    const requester = await world.node('requester', { provider: desks[0]! });
    await world.node('provider', { provider: desks[1]! });
    const exclude = Array.from({ length: 100 }, (_, index) => world.notary(`excluded-${index}`).self);
    const listener = new RecordingListener();
    const open = requester.network.market.openRequest(world.request(requester, { exclude }), listener);
    expect(open.audience().size).toBe(2);
    await world.clock.advanceBy(1000);
    expect(listener.bids).toHaveLength(2);
    expect(requester.network.counters()).toMatchObject({ 'request.sent-directly': 2 });
  });

  it('is one of a bounded number', async () => {
    const world = new MarketWorld({}, { openRequests: 1 });
    const { network, notary } = await world.node('requester');
    const first = network.market.openRequest(world.request({ notary }), new RecordingListener());
    const second = world.request({ notary }, { requestId: 'request-2' });
    expect(() => network.market.openRequest(second, new RecordingListener())).toThrow('Too many searches');
    first.close();
    network.market.openRequest(second, new RecordingListener());
  });

  it('is closed without a word where everybody answers', async () => {
    const world = new MarketWorld();
    const provider = await world.node('provider', {
      provider: scriptedProvider(world.notary('provider'), silent),
    });
    const requester = await world.node('requester');
    const open = requester.network.market.openRequest(
      world.request(requester, { answerAlways: true }),
      new RecordingListener(),
    );
    await world.clock.advanceBy(100);
    open.close();
    await world.clock.advanceBy(1000);
    expect(provider.network.counters()).toMatchObject({ 'gossip.request': 1 });
    expect(provider.network.counters()).not.toHaveProperty('gossip.closed');
  });

  it('is announced as closed once, whoever says so first', async () => {
    const world = new MarketWorld();
    const requester = await world.node('requester');
    const provider = await world.node('provider', {
      provider: scriptedProvider(world.notary('provider'), silent),
    });
    const open = requester.network.market.openRequest(world.request(requester), new RecordingListener());
    requester.network.market.closed(requester.notary.sign('search-closed', { requestId: 'request-1' }));
    open.close();
    open.close();
    await world.clock.advanceBy(1000);
    expect(provider.network.counters()).toMatchObject({ 'gossip.closed': 1 });
    expect(provider.network.counters()).not.toHaveProperty('gossip.repeat');
  });
});

describe('gossip', () => {
  /** A provider, and a door to its validator. */
  async function validator(
    limits: ConstructorParameters<typeof MarketWorld>[1] = {},
    over: Partial<ScriptedProvider> = silent,
  ): Promise<{
    world: MarketWorld;
    desk: ScriptedProvider;
    counters: () => Record<string, number>;
    judge: (message: Uint8Array) => GossipVerdict | undefined;
  }> {
    const world = new MarketWorld({}, limits);
    const desk = scriptedProvider(world.notary('provider'), over);
    const simulated = world.simulation.node(world.notary('provider').self);
    const doors: ((from: string, message: Uint8Array) => GossipVerdict)[] = [];
    const underlay = new Proxy(simulated.underlay, {
      get(target, name) {
        if (name === 'subscribe')
          return (_topic: string, validate: (typeof doors)[number]) => doors.push(validate);
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const { network } = await world.node('provider', { provider: desk }, true, { ...simulated, underlay });
    return {
      world,
      desk,
      counters: () => network.counters(),
      judge: (message) => doors[0]?.('neighbour', message),
    };
  }

  it('passes on good requests and notices, and ignores what it has seen', async () => {
    const { world, judge, counters } = await validator();
    const notary = world.notary('requester');
    const request = bidRequestMessage(world.request({ notary }));
    const closed = encodeFrame({
      kind: 'search-closed',
      body: envelopeOf(notary.sign('search-closed', { requestId: 'request-1' })),
    });
    expect([request, request, closed, closed].map(judge)).toEqual(['accept', 'ignore', 'accept', 'ignore']);
    expect(counters()).toMatchObject({ 'gossip.request': 1, 'gossip.closed': 1, 'gossip.repeat': 2 });
  });

  it('does not pass on what all neighbours have from the requester itself', async () => {
    const { world, judge } = await validator();
    await world.node('other', { provider: scriptedProvider(world.notary('other')) });
    await world.clock.advanceBy(1000);
    const notary = world.notary('requester');
    const reachedBy = (requestId: string, ...peers: readonly string[]) =>
      bidRequestMessage(world.request({ notary }, { requestId, reached: peers.map(reachedTag) }));
    const other = world.notary('other').self;
    expect(judge(reachedBy('request-1', world.notary('provider').self))).toBe('accept');
    expect(judge(reachedBy('request-2', world.notary('provider').self, other))).toBe('ignore');
  });

  it('remembers a request for as long as it can be believed', async () => {
    const { world, judge, counters } = await validator();
    const request = bidRequestMessage(world.request({ notary: world.notary('requester') }));
    expect(judge(request)).toBe('accept');
    await world.clock.advanceBy(5 * 60_000);
    expect(judge(request)).toBe('ignore');
    await world.clock.advanceBy(1);
    expect(judge(request)).toBe('ignore');
    expect(counters()).toMatchObject({ 'gossip.repeat': 1, 'gossip.EXPIRED': 1 });
  });

  it('lets nobody use up the request ids of somebody else', async () => {
    const { world, judge } = await validator();
    expect(judge(bidRequestMessage(world.request({ notary: world.notary('copycat') })))).toBe('accept');
    expect(judge(bidRequestMessage(world.request({ notary: world.notary('requester') })))).toBe('accept');
  });

  it('hands on what later releases say, with what this node does not know of it', async () => {
    const { world, judge, counters } = await validator();
    const { requirements } = sample.bidRequest();
    const said = {
      ...sample.bidRequest({
        requirements: {
          ...requirements,
          engine: { type: 'quantum' },
          constraints: { hard: [{ key: 'quantum.bits', operator: 'Gt', values: ['7qb'] }], soft: [] },
        },
        features: ['job.service'],
      }),
      later: { of: ['any', 'shape', null] },
      ext: { 'org.example/note': 'blue' },
    };
    const notary = world.notary('requester');
    expect(judge(bidRequestMessage(notary.sign('bid-request', said)))).toBe('accept');
    const notice = { requestId: 'request-1', later: true, ext: { 'org.example/note': 'blue' } };
    const closed = envelopeOf(notary.sign('search-closed', notice));
    expect(judge(encodeFrame({ kind: 'search-closed', body: closed }))).toBe('accept');
    expect(Object.keys(counters()).filter((name) => name.startsWith('fault.'))).toEqual([]);
  });

  it('rejects what no honest peer forwards, and ignores what may only be strange', async () => {
    const { world, judge, counters } = await validator();
    const notary = world.notary('requester');
    const request = world.request({ notary });
    const envelope = envelopeOf(request);
    const elsewhere = createNotary(
      identityOf(new SeededRandom('requester').bytes(32)),
      'othernet',
      world.clock,
    );
    const later = { v: MESSAGE_VERSIONS['bid-request'] + 1, network: NETWORK, issuedAt: world.clock.nowMs() };
    const laterVersion = encodeCanonical({ ...later, value: {} });
    const inLaterWords = { ...request.value, budget: { amount: '1', currency: 'USD', per: 'fortnight' } };
    const frame = (body: unknown): Uint8Array => encodeFrame({ kind: 'bid-request', body });
    const cases: [Uint8Array, GossipVerdict, string][] = [
      [new Uint8Array(5000), 'reject', 'OVERSIZED'],
      [new Uint8Array([1, 2, 3]), 'reject', 'MALFORMED'],
      [
        encodeFrame({ kind: 'bid', body: envelopeOf(notary.sign('bid', sample.bid())) }),
        'reject',
        'MALFORMED',
      ],
      [frame({ ...envelope, signature: new Uint8Array(64) }), 'reject', 'BAD_SIGNATURE'],
      [frame({ ...envelope, signer: world.notary('other').self }), 'reject', 'BAD_SIGNATURE'],
      [frame(envelopeOf(elsewhere.sign('bid-request', request.value))), 'reject', 'WRONG_NETWORK'],
      [frame({ ...envelope, payload: laterVersion }), 'ignore', 'UNKNOWN_VERSION'],
      [encodeCanonical({ kind: 'task-offer', body: envelope }), 'ignore', 'UNKNOWN_KIND'],
      [frame(envelopeOf(notary.sign('bid-request', inLaterWords))), 'ignore', 'UNKNOWN_VALUE'],
    ];
    const outcomes = cases.map(([message]) => {
      const before = counters();
      const verdict = judge(message);
      const counted = Object.entries(counters()).find(([name, count]) => count !== before[name]);
      return [verdict, counted?.[0]];
    });
    expect(outcomes).toEqual(cases.map(([, verdict, code]) => [verdict, `gossip.${code}`]));
    expect(judge(bidRequestMessage(request))).toBe('accept');
  });

  it('does not wait for the desk, and bounds what it decides on at once', async () => {
    const release = Promise.withResolvers<void>();
    const started: string[] = [];
    const { world, judge, counters } = await validator(
      { answeringRequests: 3, answeringPerRequester: 2 },
      {
        answer: async (request) => {
          started.push(request.value.requestId);
          await release.promise;
          return { kind: 'silence', reason: 'test' };
        },
      },
    );
    const send = (requester: string, requestId: string): GossipVerdict | undefined =>
      judge(bidRequestMessage(world.request({ notary: world.notary(requester) }, { requestId })));
    expect(send('a', '1')).toBe('accept');
    expect(started).toEqual([]);
    expect([send('a', '2'), send('a', '3'), send('b', '4'), send('c', '5')]).toEqual(Array(4).fill('accept'));
    await world.clock.settle();
    expect(started).toEqual(['1', '2', '4']);
    expect(counters()).toMatchObject({ 'request.dropped': 2 });
    release.resolve();
    await world.clock.settle();
    expect(send('a', '6')).toBe('accept');
    await world.clock.settle();
    expect(started).toEqual(['1', '2', '4', '6']);
  });

  it('survives a desk that throws', async () => {
    const { world, judge, counters } = await validator(
      {},
      {
        answer: async () => {
          throw new Error('broken');
        },
      },
    );
    expect(judge(bidRequestMessage(world.request({ notary: world.notary('requester') })))).toBe('accept');
    await world.clock.settle();
    expect(counters()).toMatchObject({ 'answer.INTERNAL': 1 });
  });

  it('brings the request through loss of nothing but some hops, and through repeats', async () => {
    const world = new MarketWorld({ gossipLoss: 0.2, gossipRepeat: 0.5, gossipJitterMs: 50 });
    const requester = await world.node('requester');
    const desks: ScriptedProvider[] = [];
    for (let index = 0; index < 12; index += 1) {
      const desk = scriptedProvider(world.notary(`provider-${index}`), {
        answer: async (request) => {
          desk.calls.push(`answer ${request.value.requestId}`);
          return { kind: 'silence', reason: 'test' };
        },
      });
      desks.push(desk);
      await world.node(`provider-${index}`, { provider: desk });
    }
    requester.network.market.openRequest(world.request(requester), new RecordingListener());
    await world.clock.advanceBy(2000);
    const answers = desks.map((desk) => desk.calls.filter((call) => call.startsWith('answer')).length);
    expect(answers).toEqual(Array(12).fill(1));
  });
});

describe('a request that is sent directly', () => {
  it('counts only from its signer, and once beside gossip', async () => {
    const world = new MarketWorld();
    const desk = scriptedProvider(world.notary('provider'));
    const provider = await world.node('provider', { provider: desk });
    const raw = await world.raw('raw');
    const send = async (message: Uint8Array): Promise<string | undefined> => {
      const channel = await world.settled(openRaw(raw, provider.peer, names.request));
      await channel.send(message);
      return world.rejection(channel.receive());
    };
    expect(await send(bidRequestMessage(world.request({ notary: world.notary('other') })))).toBe(
      'CHANNEL_CLOSED',
    );
    const own = bidRequestMessage(world.request(raw));
    await raw.underlay.publish(names.requestsTopic, own);
    expect(await send(own)).toBeUndefined();
    expect(await send(encodeFrame({ kind: 'refused', body: { code: 'X' } }))).toBe('CHANNEL_CLOSED');
    expect(desk.calls.filter((call) => call.startsWith('answer'))).toEqual(['answer request-1']);
    expect(provider.network.counters()).toMatchObject({
      'request.WRONG_SIGNER': 1,
      'request.OUT_OF_TURN': 1,
      'request.repeat': 1,
    });
  });
});
