import { describe, expect, it } from 'vitest';
import type { Bid, BidRequest, SearchClosed } from '../../../../src/domain/market/bid.ts';
import type { Evidence, Notary } from '../../../../src/domain/market/evidence.ts';
import { encodeCanonical } from '../../../../src/lib/canonical.ts';
import { envelopeOf } from '../../../../src/messages/envelope.ts';
import { sleep } from '../../../../src/lib/clock.ts';
import { decodeFrame, encodeFrame, type FrameKind } from '../../../../src/messages/frame.ts';
import { OpenSearch, type SearchOutcome } from '../../../../src/orchestrator/search/open-search.ts';
import * as sample from '../../messages/samples.ts';
import { MarketWorld, names, openRaw, type RawNode, type WorldNode } from '../../network/market-world.ts';

const MAX_FRAME_BYTES = 2 ** 22;
const LOCK = { lockId: 'lock-1', version: 7, ttlMs: 5000 } as const;
const BUDGET = { amount: '0.10', currency: 'USD', per: 'hour' } as const;

/** A requester with one search on the air, and a provider that sends it whatever a test makes of a bid. */
/** Long enough for any answer on the simulated network. */
const SILENCE_MS = 1000;

class BidWorld {
  readonly world = new MarketWorld();
  readonly outcomes: SearchOutcome[] = [];
  readonly requester: WorldNode;
  readonly provider: RawNode;
  readonly search: OpenSearch;

  static async open(change: (provider: string) => Partial<BidRequest> = () => ({})): Promise<BidWorld> {
    const world = new MarketWorld();
    const requester = await world.node('requester');
    const provider = await world.raw('provider');
    return new BidWorld(world, requester, provider, change(provider.peer));
  }

  private constructor(
    world: MarketWorld,
    requester: WorldNode,
    provider: RawNode,
    changes: Partial<BidRequest>,
  ) {
    this.world = world;
    this.requester = requester;
    this.provider = provider;
    const request = world.request(requester, { budget: BUDGET, ...changes });
    this.search = new OpenSearch(
      request.value,
      {
        quietMs: 50,
        loneGraceMs: 300,
        indirectMs: 0,
        newcomerMs: 0,
        partialWindowMs: 5000,
        maxBids: 4,
        rememberedBidders: 100,
      },
      {
        clock: world.clock,
        self: requester.peer,
        worstOf: (bids) => bids.at(-1)?.bid.signer,
        onClosed: (outcome) => this.outcomes.push(outcome),
        onNegotiationEnded: () => {},
      },
    );
    this.search.publish(requester.network.market, request);
  }

  sign(over: Partial<Bid> = {}, by: Notary = this.provider.notary): Evidence<Bid> {
    return by.sign('bid', sample.bid(over));
  }

  /** The requester's answer: the code of a refusal, the kind of another frame, that it hung up, or that it keeps the bid. */
  async send(body: unknown, kind: FrameKind = 'bid'): Promise<string> {
    const channel = await this.world.settled(
      openRaw(this.provider, this.requester.peer, names.negotiation, MAX_FRAME_BYTES),
    );
    await channel.send(encodeFrame({ kind, body }));
    const silence = sleep(this.world.clock, SILENCE_MS).then(() => 'kept' as const);
    const answer = await this.world.settled(
      Promise.race([channel.receive().catch(() => undefined), silence]),
    );
    if (answer === undefined) return 'dropped';
    if (answer === 'kept') return answer;
    const frame = decodeFrame(answer, MAX_FRAME_BYTES);
    if (!frame.ok) return frame.rejection.code;
    const { body: said } = frame.value;
    return typeof said === 'object' && said !== null && 'code' in said ? String(said.code) : frame.value.kind;
  }

  refused(): SearchOutcome['refused'] {
    this.search.close('timeout');
    return this.outcomes[0]?.refused ?? [];
  }

  counters(): Record<string, number> {
    return this.requester.network.counters();
  }
}

const price = (amount: string): Partial<Bid> => ({ price: { ...sample.bid().price, amount } });

describe('a bid that cannot be read, or is not whose it says', () => {
  const changed = (evidence: Evidence<Bid>): unknown => {
    const payload = new Uint8Array(evidence.payload);
    // The last digit of the price.
    const at = Buffer.from(payload).indexOf('0.05') + 3;
    payload[at] = '1'.charCodeAt(0);
    return { ...envelopeOf(evidence), payload };
  };
  it.each<[string, string, (world: BidWorld) => unknown]>([
    ['has a price without end', 'MALFORMED', (world) => envelopeOf(world.sign(price('9'.repeat(1000))))],
    ['was altered on its way', 'BAD_SIGNATURE', (world) => changed(world.sign())],
    [
      'is by another one than who brings it',
      'WRONG_SIGNER',
      (world) => envelopeOf(world.sign({}, world.world.notary('other'))),
    ],
    [
      'was signed for another message',
      'BAD_SIGNATURE',
      (world) => ({
        ...envelopeOf(world.sign()),
        signature: world.provider.notary.sign('decline', sample.decline()).signature,
      }),
    ],
    ['is no bid', 'MALFORMED', () => encodeCanonical(1)],
  ])('is dropped when it %s', async (_, code, make) => {
    const world = await BidWorld.open();
    expect(await world.send(make(world))).toBe('dropped');
    expect(world.counters()).toMatchObject({ [`negotiation.${code}`]: 1 });
    expect(world.search.openNegotiations().size).toBe(0);
    // Nothing of it is held against the provider in the search: it may not even be the one who sent it.
    expect(await world.send(envelopeOf(world.sign()))).toBe('kept');
    expect(world.refused()).toEqual([]);
  });
});

describe('a bid that answers no request of this node', () => {
  it('is refused when nobody made the request', async () => {
    const world = await BidWorld.open();
    expect(await world.send(envelopeOf(world.sign({ requestId: 'request-9' })))).toBe('UNKNOWN_REQUEST');
    expect(world.counters()).toMatchObject({ 'negotiation.UNKNOWN_REQUEST': 1, 'negotiation.refused': 1 });
  });

  it('is refused when the request takes no more', async () => {
    const world = await BidWorld.open();
    await world.world.clock.advanceBy(sample.bidRequest().windowMs);
    expect(world.outcomes).toMatchObject([{ reason: 'timeout' }]);
    expect(await world.send(envelopeOf(world.sign()))).toBe('REQUEST_CLOSED');
    expect(world.counters()).toMatchObject({ 'negotiation.REQUEST_CLOSED': 1 });
    expect(world.refused()).toEqual([]);
  });
});

describe('a bid that this search may not use', () => {
  it.each<[string, string, Partial<Bid>, (provider: string) => Partial<BidRequest>]>([
    ['is for another job', 'WRONG_JOB', { jobId: 'job-9' }, () => ({})],
    ['is of an excluded provider', 'EXCLUDED_PROVIDER', {}, (provider) => ({ exclude: [provider] })],
    ['is over the budget', 'OVER_BUDGET', { price: { ...BUDGET, amount: '0.11' } }, () => ({})],
    ['is in another currency', 'OVER_BUDGET', { price: { ...BUDGET, currency: 'EUR' } }, () => ({})],
    ['has a price below zero', 'INVALID_PRICE', price('-0.05'), () => ({})],
    ['has a price that is no amount', 'INVALID_PRICE', price('1e3'), () => ({})],
    ['has no price', 'INVALID_PRICE', price(''), () => ({ budget: BUDGET })],
    ['has run out already', 'BID_EXPIRED', { validForMs: 0 }, () => ({})],
    ['has a lock that has run out', 'LOCK_EXPIRED', { lock: { ...LOCK, ttlMs: 0 } }, () => ({})],
    [
      'does not fit by its own word',
      'HARD_CONSTRAINT_UNMET',
      { comparison: { ...sample.bid().comparison, hardOk: false } },
      () => ({}),
    ],
  ])('is refused and on record when it %s', async (_, code, bid, request) => {
    const world = await BidWorld.open(request);
    expect(await world.send(envelopeOf(world.sign(bid)))).toBe(code);
    expect(world.counters()).toMatchObject({ [`negotiation.${code}`]: 1, 'negotiation.refused': 1 });
    expect(world.search.openNegotiations().size).toBe(0);
    expect(world.refused()).toEqual([{ provider: world.provider.peer, code }]);
  });

  it('is refused when the provider bid before, however good it is, and the first one stands', async () => {
    const world = await BidWorld.open();
    expect(await world.send(envelopeOf(world.sign()))).toBe('kept');
    const better = world.sign({ bidId: 'bid-2', price: { ...BUDGET, amount: '0' } });
    expect(await world.send(envelopeOf(better))).toBe('DUPLICATE_BID');
    expect(world.counters()).toMatchObject({ 'negotiation.DUPLICATE_BID': 1, 'negotiation.kept': 1 });
    world.search.close('timeout');
    expect(world.outcomes[0]?.bids.map(({ bid }) => bid.value.bidId)).toEqual(['bid-1']);
    expect(world.outcomes[0]?.refused).toEqual([{ provider: world.provider.peer, code: 'DUPLICATE_BID' }]);
  });

  it('does not use up what the search takes of others, however often it is sent', async () => {
    const world = await BidWorld.open();
    for (let index = 0; index < 20; index += 1) await world.send(envelopeOf(world.sign({ jobId: 'job-9' })));
    expect(world.counters()).toMatchObject({ 'negotiation.WRONG_JOB': 1, 'negotiation.DUPLICATE_BID': 19 });
    expect(world.refused().map(({ code }) => code)).toEqual(['WRONG_JOB', 'DUPLICATE_BID']);
  });
});

it('takes a notice of closing for what it is, also on a negotiation', async () => {
  const world = await BidWorld.open();
  const notice = world.provider.notary.sign<SearchClosed>('search-closed', { requestId: 'request-1' });
  expect(await world.send(envelopeOf(notice), 'search-closed')).toBe('dropped');
  expect(world.counters()).toMatchObject({ 'negotiation.OUT_OF_TURN': 1 });
  expect(world.outcomes).toEqual([]);
});
