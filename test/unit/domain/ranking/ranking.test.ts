import { fc, it } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import type { Preference } from '../../../../src/domain/ranking/weights.ts';
import { costNano } from '../../../../src/domain/units/money.ts';
import {
  rankBids,
  type RankingContext,
  type ReceivedBid,
  weightsFor,
} from '../../../../src/domain/ranking/index.ts';
import { rankPhrase } from '../../../../src/words/rank-words.ts';
import { bidOf } from '../market-values.ts';

const SELF = 'self';

function context(changes: Partial<RankingContext> = {}): RankingContext {
  return { self: SELF, prefer: 'balanced', executionTimeoutMs: 600_000, ...changes };
}

function received(provider: string, changes: Parameters<typeof bidOf>[1] = {}): ReceivedBid {
  return { bid: bidOf(provider, changes), receivedAt: 0 };
}

function usd(amount: string) {
  return { amount, currency: 'USD', per: 'hour' as const };
}

function order(bids: readonly ReceivedBid[], changes: Partial<RankingContext> = {}): string[] {
  return rankBids(bids, context(changes)).map((entry) => entry.provider);
}

function rankOf(name: string, bids: readonly ReceivedBid[], provider: string) {
  const entry = rankBids(bids, context()).find((data) => data.provider === provider);
  const rank = entry?.ranks.find((one) => one.name === name);
  return rank && { ...rank, reason: rankPhrase(rank.why) };
}

describe('the rankers', () => {
  it('value a price by how it stands to the cheapest, over the execution timeout', () => {
    const bids = [
      received('hour', { price: { amount: '6', currency: 'USD', per: 'hour' } }),
      received('result', { price: { amount: '2', currency: 'USD', per: 'result' } }),
    ];
    expect(rankOf('price', bids, 'hour')?.value).toBe(1000);
    expect(rankOf('price', bids, 'result')?.value).toBe(500);
  });

  it('cope with bids for nothing', () => {
    const bids = [received('free', { price: usd('0') }), received('paid', { price: usd('0.01') })];
    expect(rankOf('price', bids, 'free')?.value).toBe(1000);
    expect(rankOf('price', bids, 'paid')?.value).toBe(0);
  });

  it('do not compare different currencies', () => {
    const odd = { amount: '0.01', currency: 'SHELLS', per: 'hour' as const };
    const bids = [received('odd', { price: odd }), received('a'), received('b')];
    expect(rankOf('price', bids, 'odd')).toMatchObject({
      value: 0,
      reason: 'priced in SHELLS, compared in USD',
    });
    expect(rankOf('price', bids, 'a')?.value).toBe(1000);
  });

  it('take the share of soft constraints, the load and the start time as told, within bounds', () => {
    const comparison = { fields: [], hardOk: true, softScore: 5000 };
    const bids = [
      received('a', { comparison, load: -3, startsInMs: 400 }),
      received('b', { load: Number.NaN, startsInMs: 1600 }),
      received('c', { load: 0.25 }),
    ];
    expect(rankOf('soft', bids, 'a')?.value).toBe(1000);
    expect([rankOf('load', bids, 'a'), rankOf('load', bids, 'b'), rankOf('load', bids, 'c')]).toMatchObject([
      { value: 1000 },
      { value: 0 },
      { value: 750 },
    ]);
    expect(['a', 'b', 'c'].map((provider) => rankOf('speed', bids, provider))).toMatchObject([
      { value: 1000, reason: 'starts in about 0.4 s' },
      { value: 250, reason: 'starts in about 1.6 s' },
      { value: 500, reason: 'does not say how soon it starts' },
    ]);
  });

  it.each([
    [0, 1000, 'starts in less than 0.1 s'],
    [100, 1000, 'starts in about 0.1 s'],
    [9949, 10, 'starts in about 9.9 s'],
    [9950, 10, 'starts in about 10 s'],
    [90_400, 1, 'starts in about 90 s'],
  ])(
    'tell a start in %i ms in words, and none that is sooner than it matters',
    (startsInMs, value, reason) => {
      const bids = [received('a', { startsInMs }), received('b', { startsInMs: 0 })];
      expect(rankOf('speed', bids, 'a')).toMatchObject({ value, reason });
    },
  );

  it('do not ask how late a provider may start', () => {
    const bids = [
      received('a', { time: { durationMs: 1, startWithinMs: 1 } }),
      received('b', { time: { durationMs: 1, startWithinMs: 3_600_000 } }),
    ];
    expect(rankOf('speed', bids, 'a')?.value).toBe(rankOf('speed', bids, 'b')?.value);
  });

  it('give every rank its weight and its reason', () => {
    const [entry] = rankBids([received('a')], context());
    expect(entry?.ranks.map((rank) => rank.name)).toEqual([
      'price',
      'soft',
      'load',
      'speed',
      'fit',
      'behaviour',
      'roundTrip',
      'own-node',
    ]);
    expect(entry?.ranks.filter(({ why }) => rankPhrase(why) === '')).toEqual([]);
  });
});

describe('the order', () => {
  it('follows the preference', () => {
    const bids = [
      received('cheap', { price: usd('1'), startsInMs: 60_000 }),
      received('soon', { price: usd('5'), startsInMs: 1000 }),
    ];
    expect(order(bids, { prefer: 'price' })).toEqual(['cheap', 'soon']);
    expect(order(bids, { prefer: 'speed' })).toEqual(['soon', 'cheap']);
    expect(order(bids, { prefer: { speed: 1 } })).toEqual(['soon', 'cheap']);
    expect(order(bids, { weights: { price: 100 } })).toEqual(['cheap', 'soon']);
  });

  it('takes the cheaper of two with the same score, then the first by id', () => {
    const bids = [
      received('b', { price: usd('1.01') }),
      received('c', { price: usd('1') }),
      received('a', { price: usd('1.01') }),
    ];
    expect(order(bids, { prefer: { load: 1 } })).toEqual(['c', 'a', 'b']);
  });
});

describe('the weights', () => {
  it('name only rankers, and never fall below zero', () => {
    const explicit = { price: 2, soft: 0, load: 0, speed: 0, fit: 0, behaviour: 0, roundTrip: 0 };
    expect(weightsFor({ price: 2, nonsense: 9, load: -1 })).toEqual(explicit);
    expect(weightsFor('balanced', { price: Number.NaN })).toEqual(weightsFor('balanced'));
  });

  it('let a preferred ranker outweigh the rest', () => {
    for (const name of ['price', 'speed'] as const) {
      const { [name]: preferred, ...others } = weightsFor(name);
      expect(preferred).toBeGreaterThan(Object.values(others).reduce((sum, weight) => sum + weight, 0));
    }
  });
});

const amount = fc.integer({ min: 0, max: 5000 }).map((cents) => (cents / 100).toFixed(2));
const anyBid = fc.record({
  price: fc.record({
    amount,
    currency: fc.constantFrom('USD', 'EUR'),
    per: fc.constantFrom('result' as const, 'second' as const, 'minute' as const, 'hour' as const),
  }),
  load: fc.double({ min: 0, max: 1, noNaN: true }),
  startsInMs: fc.option(fc.nat(100_000), { nil: 0 }),
  comparison: fc.record({
    fields: fc.constant([]),
    hardOk: fc.constant(true),
    softScore: fc.nat(1000),
  }),
});
const anyBids = fc
  .uniqueArray(fc.tuple(fc.constantFrom(SELF, 'a', 'b', 'c', 'd', 'e', 'f'), anyBid), {
    selector: ([provider]) => provider,
  })
  .map((list) => list.map(([provider, bid]) => received(provider, bid)));
const anyPreference: fc.Arbitrary<Preference> = fc.oneof(
  fc.constantFrom('price' as const, 'speed' as const, 'balanced' as const),
  fc.record({ price: fc.nat(10), load: fc.nat(10) }),
);

describe('ranking', () => {
  it.prop([anyBids, anyPreference])('keeps every bid, once', (bids, prefer) => {
    const ranked = rankBids(bids, context({ prefer }));
    expect(ranked.map((entry) => entry.provider).sort()).toEqual(bids.map(({ bid }) => bid.signer).sort());
    expect(ranked.every(({ score }) => Number.isInteger(score) && score >= 0 && score <= 1000)).toBe(true);
  });

  it.prop([anyBids, anyPreference, fc.infiniteStream(fc.nat())])(
    'does not depend on the order of arrival',
    (bids, prefer, keys) => {
      const shuffled = bids
        .map((bid) => ({ bid, key: Number(keys.next().value) }))
        .sort((a, b) => a.key - b.key)
        .map(({ bid }) => bid);
      expect(rankBids(shuffled, context({ prefer }))).toEqual(rankBids(bids, context({ prefer })));
    },
  );

  it.prop([anyBids, anyPreference])('puts this node last', (bids, prefer) => {
    const providers = order(bids, { prefer });
    if (providers.includes(SELF)) expect(providers.at(-1)).toBe(SELF);
  });

  it.prop([anyBid, fc.nat(500_000), fc.nat(500_000), anyBids])(
    'never puts the cheaper of two equal bids behind when price is preferred',
    (bid, a, b, others) => {
      const priced = (nano: number): Parameters<typeof bidOf>[1] => ({
        ...bid,
        price: { ...bid.price, amount: `1.${String(nano).padStart(9, '0')}` },
      });
      const bids = [...others, received('x', priced(a)), received('y', priced(b))];
      const ranked = rankBids(bids, context({ prefer: 'price' })).filter((data) =>
        'xy'.includes(data.provider),
      );
      const costs = ranked.map((data) => costNano(data.bid.value.price, 600_000));
      expect(costs).toHaveLength(2);
      expect((costs[0] ?? 0n) <= (costs[1] ?? 0n)).toBe(true);
    },
  );
});
