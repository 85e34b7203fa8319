import { fc, test } from '@fast-check/vitest';
import { beforeEach, describe, expect, it } from 'vitest';
import type { BidRequest } from '../../../../src/domain/market/bid.ts';
import {
  OpenSearch,
  type ReceivedBid,
  type SearchOutcome,
} from '../../../../src/orchestrator/search/open-search.ts';
import { isInAnswerShare } from '../../../../src/domain/market/answer-share.ts';
import type { IndirectProviders, RequestTarget } from '../../../../src/orchestrator/ports.ts';
import { FakeClock } from '../../../simulation/fake-clock.ts';
import { bidOf, declineOf, evidence, LOCK, PRICE, REQUESTER, requestOf } from '../../fakes/market.ts';
import { ScriptedMarket, ScriptedNegotiation } from '../../fakes/market-desk.ts';

const MAX_BIDS = 3;
const REMEMBERED = 4;

let clock: FakeClock;
let market: ScriptedMarket;
let outcomes: SearchOutcome[];
let ended: string[];

beforeEach(() => {
  clock = new FakeClock();
  market = new ScriptedMarket();
  outcomes = [];
  ended = [];
});

function publish(
  changes: Partial<BidRequest> = {},
  targets?: readonly RequestTarget[],
  indirect?: IndirectProviders,
): OpenSearch {
  const search = new OpenSearch(
    requestOf(changes),
    {
      quietMs: 50,
      loneGraceMs: 300,
      indirectMs: 1000,
      newcomerMs: 1000,
      partialWindowMs: 2000,
      maxBids: MAX_BIDS,
      rememberedBidders: REMEMBERED,
      ...(indirect === undefined ? {} : { indirect }),
    },
    {
      clock,
      self: REQUESTER,
      worstOf: dearest,
      onClosed: (outcome) => outcomes.push(outcome),
      onNegotiationEnded: (provider) => ended.push(provider),
    },
  );
  search.publish(market, evidence('bid-request', search.request, REQUESTER), targets);
  return search;
}

/** The highest price, the first by name among equals. */
function dearest(bids: readonly ReceivedBid[]): string | undefined {
  const amount = ({ bid }: ReceivedBid): number => Number(bid.value.price.amount);
  return bids.toSorted((a, b) => amount(b) - amount(a) || (a.bid.signer < b.bid.signer ? 1 : -1)).at(0)?.bid
    .signer;
}

const priced = (provider: string, amount: string) => bidOf(provider, { price: { ...PRICE, amount } });

const from = (provider: string): ScriptedNegotiation => new ScriptedNegotiation(provider);

describe('a search on the air', () => {
  it('keeps a bid and its negotiation', () => {
    const search = publish();
    expect(search.bid(bidOf('a'), from('a'))).toEqual({ keep: true });
    expect([...search.openNegotiations()]).toEqual(['a']);
  });

  const BUDGET = { amount: '0.01', currency: 'USD', per: 'hour' } as const;
  it.each([
    ['another request', bidOf('a', { requestId: 'other' }), {}, 'UNKNOWN_REQUEST'],
    ['the wrong job', bidOf('a', { jobId: 'other' }), {}, 'WRONG_JOB'],
    ['an excluded provider', bidOf('a'), { exclude: ['a'] }, 'EXCLUDED_PROVIDER'],
    [
      'a hard constraint that is not met',
      bidOf('a', { comparison: { fields: [], hardOk: false, softScore: 0 } }),
      {},
      'HARD_CONSTRAINT_UNMET',
    ],
    ['a lock that is over', bidOf('a', { lock: { ...LOCK, ttlMs: 0 } }), {}, 'LOCK_EXPIRED'],
    ['a price over the budget', bidOf('a'), { budget: BUDGET }, 'OVER_BUDGET'],
    [
      'another currency than the budget',
      bidOf('a', { price: { ...PRICE, amount: '0', currency: 'EUR' } }),
      { budget: BUDGET },
      'OVER_BUDGET',
    ],
  ])('refuses a bid for %s', (_, bid, request, code) => {
    const search = publish(request);
    expect(search.bid(bid, from('a'))).toEqual({ keep: false, code });
    expect(search.openNegotiations().size).toBe(0);
    search.close('timeout');
    expect(outcomes[0]?.refused).toEqual([{ provider: 'a', code }]);
  });

  it('takes the first bid of a provider and refuses the second', () => {
    const search = publish();
    const first = from('a');
    search.bid(bidOf('a'), first);
    expect(search.bid(bidOf('a', { bidId: 'cheaper' }), from('a'))).toEqual({
      keep: false,
      code: 'DUPLICATE_BID',
    });
    expect(search.negotiations.get('a')).toBe(first);
  });

  it('takes no more than fit into the index', () => {
    const search = publish({ wantedBids: 10 });
    for (const provider of ['p1', 'p2', 'p3'])
      expect(search.bid(bidOf(provider), from(provider)).keep).toBe(true);
    expect(search.bid(bidOf('p4'), from('p4'))).toEqual({ keep: false, code: 'INDEX_FULL' });
  });

  it('lets a better bid into a full index in place of the worst, and ends the negotiation of that one', () => {
    const search = publish({ wantedBids: 10 });
    const worst = from('p2');
    search.bid(priced('p1', '0.02'), from('p1'));
    search.bid(priced('p2', '0.09'), worst);
    search.bid(priced('p3', '0.05'), from('p3'));
    expect(search.bid(priced('p4', '0.50'), from('p4'))).toEqual({ keep: false, code: 'INDEX_FULL' });
    expect(search.bid(priced('p5', '0.01'), from('p5'))).toEqual({ keep: true });
    expect(worst.open).toBe(false);
    expect([...search.openNegotiations()]).toEqual(['p1', 'p3', 'p5']);
    search.close('timeout');
    expect(outcomes[0]?.bids.map(({ bid }) => bid.signer)).toEqual(['p1', 'p3', 'p5']);
    expect(outcomes[0]?.refused).toEqual([
      { provider: 'p4', code: 'INDEX_FULL' },
      { provider: 'p2', code: 'INDEX_FULL' },
    ]);
    expect(ended).toEqual([]);
  });

  test.prop([
    fc.uniqueArray(fc.integer({ min: 0, max: 99 }), { minLength: 1, maxLength: 30 }),
    fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 30 }),
  ])('keeps the best bids in whatever order they come, and however many are no good', (prices, nuisances) => {
    market.hearers = new Set(['nobody']);
    outcomes = [];
    const search = publish({ wantedBids: 100 });
    for (const [at, price] of prices.entries()) {
      for (const [index] of nuisances.entries())
        search.bid(bidOf(`sybil-${at}-${index}`, { jobId: 'other' }), from('sybil'));
      search.bid(priced(`p${price}`, `0.${String(price).padStart(2, '0')}`), from(`p${price}`));
    }
    search.close('timeout');
    const best = prices.toSorted((a, b) => a - b).slice(0, MAX_BIDS);
    const kept = outcomes[0]?.bids.map(({ bid }) => bid.signer) ?? [];
    expect(kept.toSorted()).toEqual(best.map((price) => `p${price}`).toSorted());
    expect(outcomes[0]?.refused.length).toBeLessThanOrEqual(MAX_BIDS);
  });

  it('looks once at a bidder that it turned away, as long as it remembers it', () => {
    const search = publish();
    const send = (bidder: string) => search.bid(bidOf(bidder, { jobId: 'other' }), from(bidder));
    for (const bidder of ['s0', 's1', 's2', 's3']) expect(send(bidder)).toMatchObject({ code: 'WRONG_JOB' });
    expect(send('s0')).toMatchObject({ code: 'DUPLICATE_BID' });
    send('s4');
    expect(send('s0')).toMatchObject({ code: 'WRONG_JOB' });
    expect(search.bid(bidOf('a'), from('a'))).toEqual({ keep: true });
  });

  it('puts the noes of those who had the request before those of strangers', () => {
    market.hearers = new Set(['a', 'b', 'c']);
    const search = publish();
    for (let stranger = 0; stranger < 20; stranger += 1) {
      search.decline(declineOf(`s${stranger}`, { code: 'POLICY' }));
      search.bid(bidOf(`t${stranger}`, { jobId: 'other' }), from(`t${stranger}`));
    }
    search.decline(declineOf('a'));
    search.bid(bidOf('b', { price: { ...PRICE, amount: '-1' } }), from('b'));
    expect(outcomes).toEqual([]);
    search.decline(declineOf('c'));
    const [{ reason, declines, refused } = {}] = outcomes;
    expect(reason).toBe('everyone-answered');
    expect(declines?.map(({ provider }) => provider)).toEqual(['s2', 'a', 'c']);
    expect(refused).toHaveLength(MAX_BIDS);
    expect(refused).toContainEqual({ provider: 'b', code: 'INVALID_PRICE' });
  });

  it('takes out bids that ran out in the window, and lets their providers go', async () => {
    const search = publish({ wantedBids: 10 });
    market.hearers = new Set(['a', 'b', 'c']);
    const brief = from('a');
    search.bid(bidOf('a', { validForMs: 1000 }), brief);
    await clock.advanceBy(999);
    search.bid(bidOf('b', { validForMs: 5000 }), from('b'));
    await clock.advanceBy(1);
    search.decline(declineOf('c'));
    expect(outcomes).toMatchObject([
      { bids: [{ bid: { signer: 'b' } }], refused: [{ provider: 'a', code: 'BID_EXPIRED' }] },
    ]);
    expect(brief.open).toBe(false);
  });

  it('ends when everybody has answered, with bids, declines and refusals', () => {
    market.hearers = new Set(['a', 'b', 'c']);
    const search = publish();
    search.bid(bidOf('a'), from('a'));
    search.decline(declineOf('b'));
    expect(outcomes).toEqual([]);
    search.bid(bidOf('c', { jobId: 'other' }), from('c'));
    expect(outcomes).toMatchObject([
      {
        reason: 'everyone-answered',
        bids: [{ bid: { signer: 'a' } }],
        declines: [{ provider: 'b' }],
        refused: [{ provider: 'c', code: 'WRONG_JOB' }],
        seenAtLeast: 3,
      },
    ]);
    expect(market.closedRequests).toEqual(['round-1']);
  });

  it('waits for those who hear it through others, if they may bid', () => {
    const names = Array.from({ length: 40 }, (_, index) => `peer-${index}`);
    const mayBid = (peer: string): boolean => isInAnswerShare('round-1', peer, 0.5);
    const [near = '', farIn = ''] = names.filter(mayBid);
    const [farOut = ''] = names.filter((peer) => !mayBid(peer));
    market.hearers = new Set([near]);
    const closesWith = (far: string): boolean => {
      const search = publish({ answerShare: 0.5 }, undefined, { fitting: [far], mayBeMore: false });
      search.decline(declineOf(near));
      return outcomes.splice(0).length === 1;
    };
    expect(closesWith(farOut)).toBe(true);
    expect(closesWith(farIn)).toBe(false);
  });

  it('ends when the last one that has not answered goes away', () => {
    const search = publish();
    search.bid(bidOf('a'), from('a'));
    market.hearers.delete('b');
    search.audienceChanged();
    expect(outcomes).toMatchObject([{ reason: 'everyone-answered' }]);
  });

  it('ends at once where everybody who hears it is excluded', () => {
    publish({ exclude: [...market.hearers, 'somebody'] });
    expect(outcomes).toMatchObject([{ reason: 'everyone-answered', bids: [] }]);
  });

  it('does not wait for excluded providers', () => {
    const search = publish({ exclude: ['b'] });
    search.bid(bidOf('a'), from('a'));
    expect(outcomes).toHaveLength(1);
  });

  it('answers a late bid with REQUEST_CLOSED, and counts it no more', () => {
    const search = publish();
    search.close('timeout');
    expect(search.bid(bidOf('a'), from('a'))).toEqual({ keep: false, code: 'REQUEST_CLOSED' });
    search.decline(declineOf('b'));
    expect(outcomes).toMatchObject([{ bids: [], declines: [], refused: [] }]);
  });

  it('ignores a decline of another request', () => {
    const search = publish();
    search.decline(declineOf('a', { requestId: 'other' }));
    search.close('timeout');
    expect(outcomes[0]?.declines).toEqual([]);
  });

  it('ends a quiet moment after enough bids', async () => {
    market.hearers = new Set(['a', 'b', 'c', 'd']);
    const search = publish({ wantedBids: 2 });
    await clock.advanceBy(100);
    search.bid(bidOf('a'), from('a'));
    search.bid(bidOf('b'), from('b'));
    await clock.advanceBy(49);
    expect(outcomes).toEqual([]);
    await clock.advanceBy(1);
    expect(outcomes).toMatchObject([{ reason: 'enough' }]);
  });

  it('ends with its window when nobody answers', async () => {
    publish();
    await clock.advanceBy(4999);
    expect(outcomes).toEqual([]);
    await clock.advanceBy(1);
    expect(outcomes).toMatchObject([{ reason: 'timeout', seenAtLeast: 2 }]);
  });

  it('serves itself after a moment alone', async () => {
    market.hearers = new Set([REQUESTER]);
    const search = publish();
    search.bid(bidOf(REQUESTER), from(REQUESTER));
    await clock.advanceBy(299);
    expect(outcomes).toEqual([]);
    await clock.advanceBy(1);
    expect(outcomes).toMatchObject([{ reason: 'everyone-answered' }]);
  });

  it('ends at once when it was meant for providers of whom none can be reached', () => {
    market.hearers = new Set();
    publish({}, []);
    expect(outcomes).toMatchObject([{ reason: 'everyone-answered', seenAtLeast: 0 }]);
    expect(market.closedRequests).toEqual(['round-1']);
  });

  it('ends when the last one it was meant for turns out to be away', () => {
    const search = publish({}, [{ peer: 'a' }, { peer: 'b' }]);
    search.decline(declineOf('a'));
    expect(outcomes).toEqual([]);
    market.hearers.delete('b');
    search.audienceChanged();
    expect(outcomes).toMatchObject([{ reason: 'everyone-answered', declines: [{ provider: 'a' }] }]);
  });

  it('keeps negotiations open beyond its end, and tells when one is over', () => {
    const search = publish();
    const negotiation = from('a');
    search.bid(bidOf('a'), negotiation);
    search.close('timeout');
    expect(negotiation.open).toBe(true);
    search.negotiationEnded('a');
    expect(ended).toEqual(['a']);
    expect(search.openNegotiations().size).toBe(0);
  });

  it('release frees everybody, and says once that it is over', () => {
    const search = publish();
    const negotiation = from('a');
    search.bid(bidOf('a'), negotiation);
    search.release();
    search.release();
    expect(negotiation.open).toBe(false);
    expect(outcomes).toMatchObject([{ reason: 'cancelled' }]);
  });
});
