import { describe, expect, it } from 'vitest';
import { winningReason } from '../../../../src/domain/explain/winner.ts';
import { rankBids } from '../../../../src/domain/ranking/index.ts';
import type { PeerBehaviour } from '../../../../src/domain/trust/strikes.ts';
import { bidOf, NOW } from '../../fakes/market.ts';

const MINUTE_MS = 60_000;

function silentBehaviour(times: number): PeerBehaviour {
  return { score: 667, strikes: [{ kind: 'lock-timeout', count: times, lastAt: NOW }] };
}

/** The order of a provider that is the best by far and was silent, of another, and of this node itself. */
function ranked(times: number, now: number, preferred: readonly string[] = []) {
  const cheap = bidOf('silent', { price: { amount: '0.001', currency: 'USD', per: 'hour' }, load: 0 });
  const bids = [cheap, bidOf('other', { load: 0.9 }), bidOf('self')];
  return rankBids(
    bids.map((bid) => ({ bid, receivedAt: NOW })),
    {
      self: 'self',
      prefer: 'price',
      preferred,
      executionTimeoutMs: 600_000,
      now,
      behaviourOf: (provider) =>
        provider === 'silent' && times > 0 ? silentBehaviour(times) : { score: 1000, strikes: [] },
    },
  );
}

const names = (...asked: Parameters<typeof ranked>) => ranked(...asked).map(({ provider }) => provider);

describe('a bidder that did not answer after its last bid', () => {
  it('comes after the others for a while that grows, whatever it bids', () => {
    expect(names(0, NOW)[0]).toBe('silent');
    expect(names(1, NOW + MINUTE_MS - 1)).toEqual(['other', 'self', 'silent']);
    expect(names(1, NOW + MINUTE_MS)[0]).toBe('silent');
    expect(names(4, NOW + 8 * MINUTE_MS - 1)[0]).toBe('other');
    expect(names(4, NOW + 8 * MINUTE_MS)[0]).toBe('silent');
    expect(names(1_000_000, NOW + 60 * MINUTE_MS)[0]).toBe('silent');
  });

  it('is said to, in the ranks and by the winner', () => {
    const [first, second] = ranked(1, NOW);
    const last = ranked(1, NOW).at(-1);
    expect(last?.ranks.find(({ name }) => name === 'silence')).toMatchObject({ value: 0, weight: 0 });
    expect(winningReason(first, last, 0).code).toBe('next-is-silent');
    expect(ranked(0, NOW).flatMap(({ ranks }) => ranks.map(({ name }) => name))).not.toContain('silence');
    expect(second?.provider).toBe('self');
  });

  it('stays first where the job names it', () => {
    expect(names(1, NOW, ['silent'])[0]).toBe('silent');
  });

  it('takes others that are as little known along, where too many of them were silent lately', () => {
    const order = (isWary: boolean, known: readonly string[]) =>
      rankBids(
        ['newcomer', 'old', 'self'].map((provider) => ({
          bid: bidOf(provider, { load: provider === 'newcomer' ? 0 : 0.9 }),
          receivedAt: NOW,
        })),
        {
          self: 'self',
          prefer: 'balanced',
          executionTimeoutMs: 600_000,
          now: NOW,
          isWary,
          isKnown: (provider) => known.includes(provider),
        },
      ).map(({ provider, known: isKnown }) => (isKnown === true ? `${provider} (known)` : provider));
    expect(order(false, ['old'])).toEqual(['newcomer', 'old (known)', 'self']);
    expect(order(true, ['old'])).toEqual(['old (known)', 'self', 'newcomer']);
    expect(order(true, [])).toEqual(['self', 'newcomer', 'old']);
  });
});
