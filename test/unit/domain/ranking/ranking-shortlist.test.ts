import { fc, it } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import type { Bid } from '../../../../src/domain/market/bid.ts';
import type { BidFit } from '../../../../src/domain/matching/bid-fit.ts';
import type { Preference } from '../../../../src/domain/ranking/weights.ts';
import {
  rankBids,
  rankerNames,
  type RankingContext,
  type ReceivedBid,
} from '../../../../src/domain/ranking/index.ts';
import { GOOD_BEHAVIOUR, type PeerBehaviour } from '../../../../src/domain/trust/strikes.ts';
import { bidOf } from '../market-values.ts';

const SELF = 'self';
const BALANCED: BidFit = { cpuFree: 0.5, memoryFree: 0.5, diskFree: 0.5, gpusFree: 0, gpus: 0 };

function received(provider: string, changes: Partial<Bid> = {}): ReceivedBid {
  return { bid: bidOf(provider, changes), receivedAt: 0 };
}

function fitting(provider: string, fit: Partial<BidFit>, changes: Partial<Bid> = {}): ReceivedBid {
  return received(provider, { ...changes, fit: { ...BALANCED, ...fit } });
}

function ranked(bids: readonly ReceivedBid[], changes: Partial<RankingContext> = {}) {
  return rankBids(bids, { self: SELF, prefer: 'balanced', executionTimeoutMs: 600_000, ...changes });
}

function order(bids: readonly ReceivedBid[], changes: Partial<RankingContext> = {}): string[] {
  return ranked(bids, changes).map((entry) => entry.provider);
}

function valuesOf(name: string, bids: readonly ReceivedBid[], changes: Partial<RankingContext> = {}) {
  const entries = ranked(bids, changes);
  return Object.fromEntries(
    entries.map(({ provider, ranks }) => [provider, ranks.find((rank) => rank.name === name)?.value]),
  );
}

function behaving(scores: Readonly<Record<string, number>>): (provider: string) => PeerBehaviour {
  return (provider) => {
    const score = scores[provider];
    const strikes = [{ kind: 'lost-execution' as const, count: 2, lastAt: 0 }];
    return score === undefined ? GOOD_BEHAVIOUR : { score, strikes };
  };
}

describe('the fit of a bid', () => {
  it('is what the job leaves without use: memory that no CPU is left for, but not spare disk', () => {
    const bids = [
      fitting('even', { cpuFree: 0.5, memoryFree: 0.5, diskFree: 1 }),
      fitting('stranded', { cpuFree: 0, memoryFree: 0.8 }),
      fitting('full', { cpuFree: 0, memoryFree: 0, diskFree: 0.9 }),
      fitting('no-disk', { cpuFree: 0.8, memoryFree: 0.8, diskFree: 0 }),
      received('silent'),
    ];
    const expected = { even: 1000, stranded: 600, full: 1000, 'no-disk': 200, silent: 500 };
    expect(valuesOf('fit', bids)).toEqual(expected);
  });

  it('counts devices that no CPU is left for, and for a job with devices those it would break into', () => {
    const dry = fitting('dry', { cpuFree: 0, memoryFree: 0, gpusFree: 3, gpus: 4 });
    expect(valuesOf('fit', [dry, fitting('plain', {})])).toEqual({ dry: 750, plain: 1000 });
    const bids = [fitting('whole', { gpusFree: 7, gpus: 8 }), fitting('rest', { gpusFree: 0, gpus: 1 })];
    expect(order(bids, { gpusWanted: 1, prefer: { fit: 1 } })).toEqual(['rest', 'whole']);
  });
});

describe('the last node with free devices', () => {
  const cheap = { price: { amount: '0', currency: 'USD', per: 'hour' as const } };

  it('comes after every other for a job that wants none, whatever its score, and says so', () => {
    const bids = [fitting('gpu', { gpusFree: 1, gpus: 1 }, cheap), fitting('a', {}), fitting('b', {})];
    expect(order(bids)).toEqual(['a', 'b', 'gpu']);
    const reason = ranked(bids)
      .at(-1)
      ?.ranks.find((rank) => rank.name === 'fit')?.why;
    expect(reason).toMatchObject({ code: 'kept-for-devices', data: { why: { code: 'leaves-unused' } } });
  });

  it('is the worst of several, so that one of them is kept until nothing else is left', () => {
    const bids = [
      fitting('gpu-1', { gpusFree: 1, gpus: 1 }, cheap),
      fitting('gpu-2', { gpusFree: 2, gpus: 2 }, cheap),
      fitting('cpu', {}),
    ];
    expect(order(bids)).toEqual(['gpu-1', 'cpu', 'gpu-2']);
  });

  it('stays where it is for a job with devices, or when its devices are taken', () => {
    const bids = [fitting('gpu', { gpusFree: 1, gpus: 2 }, cheap), fitting('cpu', {})];
    expect(order(bids, { gpusWanted: 1, prefer: 'price' })).toEqual(['gpu', 'cpu']);
    const taken = [fitting('gpu', { gpusFree: 0, gpus: 2 }, cheap), fitting('cpu', {})];
    expect(order(taken, { prefer: 'price' })).toEqual(['gpu', 'cpu']);
  });

  it('still comes before this node itself, whose own devices are not kept from it', () => {
    const bids = [fitting(SELF, { gpusFree: 1, gpus: 1 }), fitting('gpu', { gpusFree: 1, gpus: 1 })];
    expect(order(bids)).toEqual(['gpu', SELF]);
  });
});

describe('past behaviour and distance', () => {
  it('lower a provider, with the strikes as reason', () => {
    const bids = [received('bad'), received('good')];
    const behaviourOf = behaving({ bad: 250 });
    expect(order(bids, { behaviourOf })).toEqual(['good', 'bad']);
    expect(ranked(bids, { behaviourOf })[1]?.ranks).toContainEqual({
      name: 'behaviour',
      value: 250,
      weight: 4,
      why: { code: 'strikes', data: { tallies: [{ kind: 'lost-execution', count: 2 }] } },
    });
  });

  it('values a round trip by how it stands to the shortest, and knows nothing of what was not measured', () => {
    const times = new Map([
      ['near', 3],
      ['far', 40],
      ['farther', 80],
    ]);
    const bids = ['near', 'far', 'farther', 'new'].map((provider) => received(provider));
    const roundTripMs = (provider: string): number | undefined => times.get(provider);
    const expected = { near: 1000, far: 500, farther: 250, new: 500 };
    expect(valuesOf('roundTrip', bids, { roundTripMs })).toEqual(expected);
    const placed = order(bids, { roundTripMs, prefer: { roundTrip: 1 } });
    expect([placed[0], placed[3]]).toEqual(['near', 'farther']);
  });

  it('takes the better behaved of two that are the same in all that has a weight', () => {
    const bids = [received('a'), received('b')];
    expect(order(bids, { behaviourOf: behaving({ a: 999 }), prefer: { price: 1 } })).toEqual(['b', 'a']);
  });
});

const share = fc.double({ min: 0, max: 1, noNaN: true });
const anyFit: fc.Arbitrary<BidFit> = fc
  .record({ cpuFree: share, memoryFree: share, diskFree: share, gpus: fc.nat(4), taken: fc.nat(4) })
  .map(({ taken, ...fit }) => ({ ...fit, gpusFree: Math.max(0, fit.gpus - taken) }));
const anyOffer = fc.record({
  price: fc.record({
    amount: fc.integer({ min: 0, max: 500 }).map((cents) => (cents / 100).toFixed(2)),
    currency: fc.constantFrom('USD', 'EUR'),
    per: fc.constantFrom('result' as const, 'hour' as const),
  }),
  load: share,
  fit: anyFit,
});
const anyOthers = fc
  .uniqueArray(fc.tuple(fc.constantFrom(SELF, 'a', 'b', 'c', 'd'), anyOffer), {
    selector: ([provider]) => provider,
  })
  .map((list) => list.map(([provider, offer]) => received(provider, offer)));
const weight = fc.integer({ min: 0, max: 10 });
const anyPreference: fc.Arbitrary<Preference> = fc.oneof(
  fc.constantFrom('price' as const, 'speed' as const, 'balanced' as const),
  fc.dictionary(fc.constantFrom(...rankerNames), weight),
);
const anyScore = fc.integer({ min: 1, max: 1000 });

describe('a shortlist', () => {
  it.prop([anyOffer, anyScore, anyScore, anyOthers, anyPreference, fc.nat(2), fc.nat(500)])(
    'never puts a worse behaved provider above one that is the same otherwise',
    (offer, x, y, others, prefer, gpusWanted, ms) => {
      fc.pre(x !== y);
      const bids = [...others, received('x', offer), received('y', offer)];
      const scores = behaving({ x, y, a: 10 });
      const placed = order(bids, { prefer, gpusWanted, behaviourOf: scores, roundTripMs: () => ms });
      const [first] = placed.filter((provider) => provider === 'x' || provider === 'y');
      expect(first).toBe(y > x ? 'y' : 'x');
    },
  );

  it.prop([anyOthers, anyPreference])(
    'never puts a job without devices on the last node that has some free while another provider fits',
    (bids, prefer) => {
      const rest = order(bids, { prefer }).filter((provider) => provider !== SELF);
      const free = (provider: string): number =>
        bids.find(({ bid }) => bid.signer === provider)?.bid.value.fit?.gpusFree ?? 0;
      // Taken one by one from the top, the devices of one node stay free until nobody else is left.
      if (rest.some((provider) => free(provider) > 0)) expect(free(rest.at(-1) ?? '')).toBeGreaterThan(0);
    },
  );

  it.prop([anyOthers, fc.dictionary(fc.constantFrom(...rankerNames), weight)])(
    'gives every rank the weight that was asked for, and scores by those alone',
    (bids, prefer) => {
      for (const { ranks, score } of ranked(bids, { prefer })) {
        for (const { name, weight: given } of ranks) expect(given).toBe(prefer[name] ?? 0);
        const total = ranks.reduce((sum, rank) => sum + rank.weight, 0);
        const mean = ranks.reduce((sum, rank) => sum + rank.value * rank.weight, 0) / (total || 1);
        expect(score).toBe(Math.floor(mean));
      }
    },
  );
});

describe('providers that the job prefers', () => {
  const free = { amount: '0', currency: 'USD', per: 'hour' } as const;
  const dear = { amount: '9', currency: 'USD', per: 'hour' } as const;
  const bids = [
    received('cheap', { price: free }),
    received('dear', { price: dear, load: 1 }),
    received('dearer', { price: { ...dear, amount: '10' }, load: 1 }),
    received(SELF, { price: free }),
  ];

  it('come before all others, the best of them first, and the ranks say why', () => {
    const entries = ranked(bids, { preferred: ['dearer', 'dear', 'absent'] });
    expect(entries.map(({ provider }) => provider)).toEqual(['dear', 'dearer', 'cheap', SELF]);
    const reasons = entries.map(({ ranks }) => ranks.find(({ name }) => name === 'preferred'));
    expect(reasons.map((rank) => [rank?.value, rank?.weight])).toEqual([
      [1000, 0],
      [1000, 0],
      [0, 0],
      [0, 0],
    ]);
    expect(reasons[0]?.why.code).toBe('preferred');
  });

  it('change no score, and nothing where none is named', () => {
    const scores = (preferred: readonly string[]) =>
      Object.fromEntries(ranked(bids, { preferred }).map(({ provider, score }) => [provider, score]));
    expect(scores(['dear'])).toEqual(scores([]));
    expect(ranked(bids)).toEqual(ranked(bids, { preferred: [] }));
    expect(ranked(bids)[0]?.ranks.map(({ name }) => name)).not.toContain('preferred');
  });

  it('may be this node itself', () => {
    const [first] = ranked(bids, { preferred: [SELF] });
    expect(first?.provider).toBe(SELF);
    expect(first?.ranks.find(({ name }) => name === 'own-node')).toMatchObject({ value: 1000 });
  });

  it('are not moved to keep their devices free', () => {
    const gpus = [fitting('gpu', { gpusFree: 1, gpus: 1 }), fitting('plain', {})];
    expect(order(gpus)).toEqual(['plain', 'gpu']);
    expect(order(gpus, { preferred: ['gpu'] })).toEqual(['gpu', 'plain']);
  });
});
