import { describe, expect, it } from 'vitest';
import { decodeFrame, encodeFrame, type Frame } from '../../../src/messages/frame.ts';
import { envelopeOf } from '../../../src/messages/envelope.ts';
import { proposalToWire } from '../../../src/messages/proposal.ts';
import { defaultNetworkLimits } from '../../../src/network/options.ts';
import type { Channel } from '../../../src/network/underlay.ts';
import type { Negotiation } from '../../../src/orchestrator/ports.ts';
import * as sample from '../messages/samples.ts';
import {
  MarketWorld,
  names,
  openRaw,
  type RawNode,
  RecordingListener,
  type ScriptedProvider,
  scriptedProvider,
  type WorldNode,
} from './market-world.ts';

const NO_LIMITS = { maxFrameBytes: 2 ** 22, maxChannelsPerPeer: 100, maxChannels: 100 };
const REQUEST_ID = 'request-1';

interface Pair {
  readonly world: MarketWorld;
  readonly requester: WorldNode;
  readonly provider: WorldNode;
  readonly desk: ScriptedProvider;
}

async function pair(over: Partial<ScriptedProvider> = {}, world = new MarketWorld()): Promise<Pair> {
  const desk = scriptedProvider(world.notary('provider'), over);
  const requester = await world.node('requester');
  const provider = await world.node('provider', { provider: desk });
  await world.clock.settle();
  return { world, requester, provider, desk };
}

/** Opens a request and runs until its first bid is there. */
async function firstBid(
  { world, requester }: Pair,
  listener = new RecordingListener(),
): Promise<Negotiation> {
  requester.network.market.openRequest(world.request(requester), listener);
  await world.clock.runUntil(() => listener.bids.length > 0, 1000);
  return listener.bids[0]![1];
}

async function nextFrame(world: MarketWorld, channel: Channel): Promise<Frame | undefined> {
  const bytes = await world.settled(channel.receive());
  if (bytes === undefined) return undefined;
  const frame = decodeFrame(bytes, 2 ** 22);
  if (!frame.ok) throw new Error(frame.rejection.detail);
  return frame.value;
}

describe('a negotiation', () => {
  it('goes from bid over lock to contract, and the desk hears of its end once', async () => {
    const all = await pair();
    const { world, requester, provider, desk } = all;
    const listener = new RecordingListener();
    const negotiation = await firstBid(all, listener);
    expect(listener.bids[0]![0].signer).toBe(provider.peer);

    const locked = await world.settled(negotiation.requestLock(sample.jobRequest(), 1000));
    expect(locked.value).toMatchObject({ executionId: 'job-1.v1.p0r0.a0', lock: { version: 7 } });

    const proposal = sample.proposal(requester.notary, provider.peer);
    const contract = await world.settled(negotiation.propose(proposal, 1000));
    expect(contract).toEqual(sample.signedContract(proposal, provider.notary));

    expect(desk.calls.filter((call) => call.startsWith('ended'))).toEqual([]);
    negotiation.close();
    expect(negotiation.open).toBe(false);
    await world.clock.advanceBy(1000);
    expect(desk.calls.slice(1)).toEqual([
      `answer ${REQUEST_ID}`,
      'lock job-1.v1.p0r0.a0',
      'accept',
      `ended ${REQUEST_ID}`,
    ]);
    expect(listener.ended).toEqual([]);
    // The one that lies ready for the next bid, until nobody seems to want it.
    expect(world.simulation.openChannels()).toBe(1);
    await world.clock.advanceBy(61_000);
    expect(world.simulation.openChannels()).toBe(0);
    expect(requester.network.counters()).not.toHaveProperty('negotiation.CHANNEL_CLOSED');
  });

  it('goes over the channel that lies ready when the requester has asked before', async () => {
    const all = await pair();
    const { world, requester, provider } = all;
    (await firstBid(all)).close();
    await world.clock.advanceBy(20_000);
    const listener = new RecordingListener();
    requester.network.market.openRequest(world.request(requester, { requestId: 'again' }), listener);
    await world.clock.runUntil(() => listener.bids.length > 0, 1000);
    expect(provider.network.counters()).toMatchObject({ 'offer.sent': 2, 'offer.on-ready-channel': 1 });
    const [, negotiation] = listener.bids[0]!;
    const locked = await world.settled(
      negotiation.requestLock(sample.jobRequest({ requestId: 'again' }), 1000),
    );
    expect(locked.value).toMatchObject({ lock: { version: 7 } });
  });

  it('opens a channel of its own where the one that lay ready is gone', async () => {
    const all = await pair();
    const { world, requester, provider } = all;
    (await firstBid(all)).close();
    await world.clock.advanceBy(70_000);
    const listener = new RecordingListener();
    requester.network.market.openRequest(world.request(requester, { requestId: 'again' }), listener);
    await world.clock.runUntil(() => listener.bids.length > 0, 1000);
    expect(provider.network.counters()).not.toHaveProperty('offer.on-ready-channel');
  });

  it('answers questions that are asked at once one after the other', async () => {
    const all = await pair();
    const negotiation = await firstBid(all);
    const attempts = [0, 1, 2].map((attempt) =>
      negotiation.requestLock(sample.jobRequest({ executionId: `e${attempt}` }), 1000),
    );
    const answers = await all.world.settled(Promise.all(attempts));
    expect(answers.map((answer) => answer.type === 'bid' && answer.value)).toMatchObject([
      { executionId: 'e0' },
      { executionId: 'e1' },
      { executionId: 'e2' },
    ]);
  });

  it('brings declines of the lock and of the contract', async () => {
    const world = new MarketWorld();
    const notary = world.notary('provider');
    const all = await pair(
      {
        lock: async () => notary.sign('decline', sample.decline({ stage: 'job-request', code: 'BUSY' })),
        accept: async () =>
          notary.sign('decline', sample.decline({ stage: 'contract', code: 'NOT_VERIFIED' })),
      },
      world,
    );
    const negotiation = await firstBid(all);
    const lock = await world.settled(negotiation.requestLock(sample.jobRequest(), 1000));
    expect(lock.value).toMatchObject({ stage: 'job-request', code: 'BUSY' });
    const proposal = sample.proposal(all.requester.notary, all.provider.peer);
    expect(await world.settled(negotiation.propose(proposal, 1000))).toMatchObject({
      value: { stage: 'contract', code: 'NOT_VERIFIED' },
    });
  });

  it('is over when the bid is refused', async () => {
    const all = await pair();
    const listener = new RecordingListener({ keep: false, code: 'OVER_BUDGET' });
    const negotiation = await firstBid(all, listener);
    await all.world.clock.advanceBy(1000);
    expect(all.desk.calls.slice(1)).toEqual([`answer ${REQUEST_ID}`, `ended ${REQUEST_ID}`]);
    expect(all.provider.network.counters()).toMatchObject({ 'offer.refused': 1 });
    expect(await all.world.rejection(negotiation.requestLock(sample.jobRequest(), 1000))).toBe(
      'NEGOTIATION_LOST',
    );
    expect(listener.ended).toEqual([]);
  });

  it('is lost to both when its channel breaks, each told once', async () => {
    const all = await pair();
    const listener = new RecordingListener();
    const negotiation = await firstBid(all, listener);
    await all.world.clock.advanceBy(100);
    const asked = negotiation.requestLock(sample.jobRequest(), 5000);
    all.world.simulation.breakChannels(all.requester.peer, all.provider.peer);
    expect(await all.world.rejection(asked)).toBe('NEGOTIATION_LOST');
    await all.world.clock.advanceBy(1000);
    expect(listener.ended).toEqual([all.provider.peer]);
    expect(negotiation.open).toBe(false);
    expect(all.desk.calls.filter((call) => call.startsWith('ended'))).toHaveLength(1);
  });

  it('times out without an answer, and the late answer is not taken for another', async () => {
    const world = new MarketWorld();
    const release = Promise.withResolvers<void>();
    const all = await pair({}, world);
    const lock = all.desk.lock.bind(all.desk);
    all.desk.lock = async (...asked) => {
      await release.promise;
      return lock(...asked);
    };
    const listener = new RecordingListener();
    const negotiation = await firstBid(all, listener);
    expect(await world.rejection(negotiation.requestLock(sample.jobRequest(), 300))).toBe(
      'NEGOTIATION_TIMEOUT',
    );
    await world.clock.advanceBy(1000);
    expect(listener.ended).toEqual([all.provider.peer]);
    // The desk is still deciding: it hears of the end only after that.
    expect(all.desk.calls.filter((call) => call.startsWith('ended'))).toEqual([]);
    release.resolve();
    await world.clock.advanceBy(1000);
    expect(all.desk.calls.slice(-2)).toEqual(['lock job-1.v1.p0r0.a0', `ended ${REQUEST_ID}`]);
  });

  it('ends when the requester says nothing for too long', async () => {
    const all = await pair({}, new MarketWorld({}, { negotiationIdleMs: 2000 }));
    const listener = new RecordingListener();
    await firstBid(all, listener);
    await all.world.clock.advanceBy(3000);
    expect(all.desk.calls.at(-1)).toBe(`ended ${REQUEST_ID}`);
    expect(listener.ended).toEqual([all.provider.peer]);
  });

  it('refuses a proposal that is too large before it is sent, and goes on', async () => {
    const all = await pair();
    const negotiation = await firstBid(all);
    const proposal = sample.proposal(all.requester.notary, all.provider.peer);
    const huge = {
      ...proposal,
      invocation: { ...sample.invocation, outputs: [{ name: 'x'.repeat(3e6), path: '/' }] },
    };
    expect(await all.world.rejection(negotiation.propose(huge, 1000))).toBe('FRAME_TOO_LARGE');
    expect((await all.world.settled(negotiation.requestLock(sample.jobRequest(), 1000))).type).toBe('bid');
  });
});

describe('bids', () => {
  it('are refused for requests that are closed or were never open', async () => {
    const all = await pair();
    const { world, requester } = all;
    const raw = await world.raw('raw');
    const listener = new RecordingListener();
    const open = requester.network.market.openRequest(world.request(requester), listener);
    await world.clock.runUntil(() => listener.bids.length > 0, 1000);
    open.close();
    const answerTo = async (requestId: string): Promise<unknown> => {
      const channel = await world.settled(openRaw(raw, requester.peer, names.negotiation));
      await channel.send(
        encodeFrame({ kind: 'bid', body: envelopeOf(raw.notary.sign('bid', sample.bid({ requestId }))) }),
      );
      return nextFrame(world, channel);
    };
    expect(await answerTo(REQUEST_ID)).toEqual({ kind: 'refused', body: { code: 'REQUEST_CLOSED' } });
    expect(await answerTo('request-9')).toEqual({ kind: 'refused', body: { code: 'UNKNOWN_REQUEST' } });
    expect(listener.bids).toHaveLength(1);
  });

  it('count only when the peer that delivers them has signed them', async () => {
    const world = new MarketWorld();
    const requester = await world.node('requester');
    const raw = await world.raw('raw');
    const listener = new RecordingListener();
    requester.network.market.openRequest(world.request(requester), listener);
    for (const kind of ['bid', 'decline'] as const) {
      const channel = await world.settled(openRaw(raw, requester.peer, names.negotiation));
      const body = envelopeOf(
        world.notary('other').sign(kind, kind === 'bid' ? sample.bid() : sample.decline()),
      );
      await channel.send(encodeFrame({ kind, body }));
      expect(await world.rejection(channel.receive())).toBe('CHANNEL_CLOSED');
    }
    expect(requester.network.counters()).toMatchObject({ 'negotiation.WRONG_SIGNER': 2 });
    expect([listener.bids, listener.declines]).toEqual([[], []]);
  });

  it('of a provider that could not deliver them give their lock back at once', async () => {
    const all = await pair();
    all.requester.network.market.openRequest(all.world.request(all.requester), new RecordingListener());
    await all.world.clock.advanceBy(1);
    all.requester.simulated.crash();
    await all.world.clock.advanceBy(30_000);
    expect(all.desk.calls.slice(1)).toEqual([`answer ${REQUEST_ID}`, `ended ${REQUEST_ID}`]);
  });

  it('are not delivered once the search is known to be closed', async () => {
    const world = new MarketWorld();
    const release = Promise.withResolvers<void>();
    const all = await pair({}, world);
    const answer = all.desk.answer.bind(all.desk);
    all.desk.answer = async (request) => {
      await release.promise;
      return answer(request);
    };
    const listener = new RecordingListener();
    const open = all.requester.network.market.openRequest(
      world.request(all.requester, { answerAlways: false }),
      listener,
    );
    await world.clock.advanceBy(100);
    open.close();
    await world.clock.advanceBy(100);
    release.resolve();
    await world.clock.advanceBy(1000);
    expect(listener.bids).toEqual([]);
    expect(all.desk.calls.at(-1)).toBe(`ended ${REQUEST_ID}`);
    expect(all.provider.network.counters()).toMatchObject({ 'gossip.closed': 1, 'offer.closed-before': 1 });
  });
});

describe('declines', () => {
  it('reach the requester over the connection that exists', async () => {
    const world = new MarketWorld();
    const notary = world.notary('provider');
    const declining = async (): Promise<Awaited<ReturnType<ScriptedProvider['answer']>>> => ({
      kind: 'decline',
      decline: notary.sign('decline', sample.decline()),
    });
    const all = await pair({ answer: declining }, world);
    const listener = new RecordingListener();
    all.requester.network.market.openRequest(world.request(all.requester), listener);
    await world.clock.advanceBy(1000);
    expect(listener.declines.map((decline) => decline.signer)).toEqual([all.provider.peer]);
    expect(all.desk.calls.filter((call) => call.startsWith('ended'))).toEqual([]);
  });

  it('never dial, while a bid does', async () => {
    for (const kind of ['bid', 'decline'] as const) {
      const world = new MarketWorld({ connectAll: false });
      const notary = world.notary('provider');
      const all = await pair(
        kind === 'bid'
          ? {}
          : { answer: async () => ({ kind, decline: notary.sign('decline', sample.decline()) }) },
        world,
      );
      const relay = await world.node('relay', { provider: scriptedProvider(world.notary('relay')) });
      world.simulation.connect(all.requester.peer, relay.peer);
      world.simulation.connect(relay.peer, all.provider.peer);
      const listener = new RecordingListener();
      all.requester.network.market.openRequest(world.request(all.requester), listener);
      await world.clock.advanceBy(1000);
      const heard = [...listener.bids.map(([bid]) => bid), ...listener.declines].map(
        (evidence) => evidence.signer,
      );
      expect(heard.toSorted()).toEqual(
        kind === 'bid' ? [relay.peer, all.provider.peer].toSorted() : [relay.peer],
      );
    }
  });
});

describe('a provider', () => {
  /** A provider that has bid to a raw requester, and the channel of that bid. */
  async function bidTo(
    world: MarketWorld,
    desk: ScriptedProvider,
  ): Promise<{ raw: RawNode; channel: Channel; provider: WorldNode }> {
    const opened = Promise.withResolvers<Channel>();
    const raw = await world.raw('raw', (underlay) =>
      underlay.handle(names.negotiation, NO_LIMITS, opened.resolve),
    );
    const provider = await world.node('provider', { provider: desk });
    const message = encodeFrame({ kind: 'bid-request', body: envelopeOf(world.request(raw)) });
    await raw.underlay.publish(names.requestsTopic, message);
    const channel = await world.settled(opened.promise);
    expect((await nextFrame(world, channel))?.kind).toBe('bid');
    return { raw, channel, provider };
  }

  it.each<[string, string, (raw: RawNode, provider: string, world: MarketWorld) => Frame[]]>([
    ['what belongs elsewhere', 'OUT_OF_TURN', () => [{ kind: 'search-closed', body: null }]],
    [
      'a bid',
      'OUT_OF_TURN',
      (raw) => [{ kind: 'bid', body: envelopeOf(raw.notary.sign('bid', sample.bid())) }],
    ],
    ['a job request for another search', 'OUT_OF_TURN', (raw) => [jobRequestFrame(raw, { requestId: 'r2' })]],
    ['a malformed job request', 'MALFORMED', (raw) => [{ ...jobRequestFrame(raw), body: 1 }]],
    [
      'a job request that another peer signed',
      'WRONG_SIGNER',
      (_raw, _provider, world) => [jobRequestFrame({ notary: world.notary('other') })],
    ],
    [
      'terms that another peer signed',
      'WRONG_SIGNER',
      (_raw, provider, world) => [
        { kind: 'proposal', body: proposalToWire(sample.proposal(world.notary('other'), provider)) },
      ],
    ],
    [
      'a proposal to another provider',
      'MALFORMED',
      (raw) => [{ kind: 'proposal', body: proposalToWire(sample.proposal(raw.notary, raw.peer)) }],
    ],
  ])('drops the channel on %s', async (_what, code, frames) => {
    const world = new MarketWorld();
    const desk = scriptedProvider(world.notary('provider'));
    const { raw, channel, provider } = await bidTo(world, desk);
    for (const frame of frames(raw, provider.peer, world)) await channel.send(encodeFrame(frame));
    expect(await world.rejection(channel.receive())).toBe('CHANNEL_CLOSED');
    expect(desk.calls.slice(1)).toEqual([`answer ${REQUEST_ID}`, `ended ${REQUEST_ID}`]);
    expect(provider.network.counters()).toMatchObject({ [`offer.${code}`]: 1 });
  });

  function jobRequestFrame(raw: Pick<RawNode, 'notary'>, over: object = {}): Frame {
    return { kind: 'job-request', body: envelopeOf(raw.notary.sign('job-request', sample.jobRequest(over))) };
  }

  it('drops the channel on a frame over the limit', async () => {
    const world = new MarketWorld();
    const desk = scriptedProvider(world.notary('provider'));
    const { channel, provider } = await bidTo(world, desk);
    void channel.send(new Uint8Array(2 ** 21 + 1)).catch(() => {});
    expect(await world.rejection(channel.receive())).toBe('CHANNEL_CLOSED');
    expect(desk.calls.at(-1)).toBe(`ended ${REQUEST_ID}`);
    expect(provider.network.counters()).toMatchObject({ 'offer.FRAME_TOO_LARGE': 1 });
  });

  it('does not wait for ever for a question', async () => {
    const world = new MarketWorld();
    const desk = scriptedProvider(world.notary('provider'));
    const { provider } = await bidTo(world, desk);
    await world.clock.advanceBy(defaultNetworkLimits.negotiationIdleMs + 1000);
    expect(desk.calls.at(-1)).toBe(`ended ${REQUEST_ID}`);
    expect(provider.network.counters()).toMatchObject({ 'offer.FRAME_TIMEOUT': 1 });
  });
});

describe('a requester', () => {
  /** A raw provider whose bid stands. */
  async function keptBid(): Promise<{
    world: MarketWorld;
    requester: WorldNode;
    raw: RawNode;
    channel: Channel;
    listener: RecordingListener;
    negotiation: Negotiation;
  }> {
    const world = new MarketWorld();
    const requester = await world.node('requester');
    const raw = await world.raw('raw');
    const listener = new RecordingListener();
    requester.network.market.openRequest(world.request(requester), listener);
    const channel = await world.settled(openRaw(raw, requester.peer, names.negotiation));
    await channel.send(encodeFrame({ kind: 'bid', body: envelopeOf(raw.notary.sign('bid', sample.bid())) }));
    await world.clock.advanceBy(200);
    return { world, requester, raw, channel, listener, negotiation: listener.bids[0]![1] };
  }

  it('drops a channel on which the provider speaks out of turn', async () => {
    const { world, requester, raw, channel, listener } = await keptBid();
    await channel.send(encodeFrame({ kind: 'bid', body: envelopeOf(raw.notary.sign('bid', sample.bid())) }));
    expect(await world.rejection(channel.receive())).toBe('CHANNEL_CLOSED');
    expect(listener.ended).toEqual([raw.peer]);
    expect(requester.network.counters()).toMatchObject({ 'negotiation.OUT_OF_TURN': 1 });
  });

  it.each<[string, (raw: RawNode, world: MarketWorld) => Frame]>([
    ['another kind', () => ({ kind: 'refused', body: { code: 'X' } })],
    ['a bid for another search', (raw) => bidFrame(raw, { requestId: 'r2' })],
    ['a bid by another peer', (_raw, world) => bidFrame({ notary: world.notary('other') })],
  ])('takes %s in answer to a job request for a loss', async (_what, reply) => {
    const { world, raw, channel, listener, negotiation } = await keptBid();
    const asked = negotiation.requestLock(sample.jobRequest(), 5000);
    expect((await nextFrame(world, channel))?.kind).toBe('job-request');
    await channel.send(encodeFrame(reply(raw, world)));
    expect(await world.rejection(asked)).toBe('NEGOTIATION_LOST');
    await world.clock.advanceBy(100);
    expect(listener.ended).toEqual([raw.peer]);
  });

  function bidFrame(raw: Pick<RawNode, 'notary'>, over: object = {}): Frame {
    return { kind: 'bid', body: envelopeOf(raw.notary.sign('bid', sample.bid(over))) };
  }

  it('takes no other contract than the one it proposed', async () => {
    const { world, requester, raw, channel, negotiation } = await keptBid();
    const proposal = sample.proposal(requester.notary, raw.peer);
    const other = sample.signedContract(
      sample.proposal(requester.notary, raw.peer, { attempt: 1 }),
      raw.notary,
    );
    const asked = negotiation.propose(proposal, 5000);
    expect((await nextFrame(world, channel))?.kind).toBe('proposal');
    const { contractId, terms, providerSignature } = other;
    await channel.send(
      encodeFrame({
        kind: 'signed-contract',
        body: { contractId, terms: envelopeOf(terms), providerSignature },
      }),
    );
    expect(await world.rejection(asked)).toBe('NEGOTIATION_LOST');
  });

  it('notices when the provider closes', async () => {
    const { world, raw, channel, listener, negotiation } = await keptBid();
    await channel.close();
    await world.clock.advanceBy(100);
    expect(negotiation.open).toBe(false);
    expect(listener.ended).toEqual([raw.peer]);
    expect(world.simulation.openChannels()).toBe(0);
  });

  it('waits only so long for the first frame', async () => {
    const world = new MarketWorld();
    const requester = await world.node('requester');
    const raw = await world.raw('raw');
    const open = () => world.settled(openRaw(raw, requester.peer, names.negotiation));
    const [ready, surplus] = [await open(), await open()];
    // One of each provider may lie ready, but not for ever.
    expect(await world.rejection(surplus.receive())).toBe('CHANNEL_CLOSED');
    expect(requester.network.counters()).toMatchObject({ 'negotiation.FRAME_TIMEOUT': 1 });
    expect(world.clock.monotonicMs()).toBeLessThan(15_000);
    expect(await world.rejection(ready.receive(), 200_000)).toBe('CHANNEL_CLOSED');
    expect(world.clock.monotonicMs()).toBeGreaterThan(100_000);
  });
});
