import { describe, expect, it } from 'vitest';
import { rankBids } from '../../../../src/domain/ranking/index.ts';
import { bidOf, NOW } from '../../fakes/market.ts';

const PROVIDERS = ['alice', 'bob', 'carol'];
const JOBS = 300;

function firstOf(requestId: string, loads: Readonly<Record<string, number>> = {}): string | undefined {
  const bids = PROVIDERS.map((provider) => ({
    bid: bidOf(provider, {
      requestId,
      load: loads[provider] ?? 0.25,
      startsInMs: 200 + provider.length * 20,
    }),
    receivedAt: NOW,
  }));
  return rankBids(bids, {
    self: 'self',
    prefer: 'balanced',
    executionTimeoutMs: 600_000,
    roundTripMs: (provider) => 30 + provider.length,
  })[0]?.provider;
}

describe('equal providers', () => {
  it('share the work: nobody has more than 45 percent of hundreds of jobs', () => {
    const counts = new Map<string, number>();
    for (let job = 0; job < JOBS; job += 1) {
      const provider = firstOf(`request-${job}`) ?? '';
      counts.set(provider, (counts.get(provider) ?? 0) + 1);
    }
    expect([...counts.keys()].toSorted()).toEqual(PROVIDERS);
    expect(Math.max(...counts.values())).toBeLessThan(JOBS * 0.45);
  });

  it('have the same place on every run', () => {
    const requests = Array.from({ length: 20 }, (_, index) => `again-${index}`);
    expect(requests.map((id) => firstOf(id))).toEqual(requests.map((id) => firstOf(id)));
  });

  it('are no equals where one is less busy', () => {
    const idle = { alice: 0.5, bob: 0.25, carol: 0.5 };
    expect(Array.from({ length: 20 }, (_, index) => firstOf(`busy-${index}`, idle))).toEqual(
      Array.from({ length: 20 }, () => 'bob'),
    );
  });
});
