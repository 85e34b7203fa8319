import { fc, it } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { rankBids } from '../../../../src/domain/ranking/index.ts';
import { StrikeHistory } from '../../../../src/domain/trust/strike-history.ts';
import {
  MOST_COUNTED,
  type StrikeKind,
  strikeKinds,
  withStrike,
} from '../../../../src/domain/trust/strikes.ts';
import { bidOf } from '../market-values.ts';

const HALF_LIFE_MS = 1000;
const LIMITS = { halfLifeMs: HALF_LIFE_MS, maxPeers: 3 };
/** More half-lives than the most points take to be forgotten. */
const FORGIVEN_MS = 10 * HALF_LIFE_MS;

function bookOf(limits = LIMITS): { readonly live: StrikeHistory; readonly changed: string[] } {
  const changed: string[] = [];
  return { live: new StrikeHistory(limits, (peer) => changed.push(peer)), changed };
}

const anyKind = fc.constantFrom<StrikeKind>(...strikeKinds);

describe('strikes', () => {
  it('lower the score of that peer alone, the worse the deed the more', () => {
    const { live } = bookOf();
    live.strike('declined', 'declined-after-bid', 0);
    live.strike('lost', 'lost-execution', 0);
    live.strike('bad', 'bad-result', 0);
    const scores = ['declined', 'lost', 'bad', 'unknown'].map((peer) => live.behaviourOf(peer, 0).score);
    expect(scores).toEqual([800, 500, 334, 1000]);
  });

  it('tell what happened, how often and when last', () => {
    const { live } = bookOf();
    live.strike('a', 'lock-timeout', 10);
    live.strike('a', 'lost-execution', 20);
    live.strike('a', 'lock-timeout', 30);
    expect(live.behaviourOf('a', 40).strikes).toEqual([
      { kind: 'lost-execution', count: 1, lastAt: 20 },
      { kind: 'lock-timeout', count: 2, lastAt: 30 },
    ]);
  });

  it('halve with each half-life and are forgotten at last', () => {
    const { live } = bookOf();
    live.strike('a', 'bad-result', 0);
    const at = (now: number): number => live.behaviourOf('a', now).score;
    expect([at(0), at(HALF_LIFE_MS), at(2 * HALF_LIFE_MS)]).toEqual([334, 500, 667]);
    expect(live.behaviourOf('a', FORGIVEN_MS)).toEqual({ score: 1000, strikes: [] });
  });

  it('begin anew after they were forgotten', () => {
    const { live } = bookOf();
    live.strike('a', 'bad-result', 0);
    live.strike('a', 'late-result', FORGIVEN_MS);
    expect(live.behaviourOf('a', FORGIVEN_MS).strikes).toEqual([
      { kind: 'late-result', count: 1, lastAt: FORGIVEN_MS },
    ]);
  });

  it('are worked off by contracts that are kept, which earn nothing beyond that', () => {
    const { live, changed } = bookOf();
    live.good('a', 0);
    expect(changed).toEqual([]);
    live.strike('a', 'late-result', 0);
    live.good('a', 0);
    expect(live.behaviourOf('a', 0).score).toBe(800);
    live.good('a', 0);
    live.good('a', 0);
    expect(live.behaviourOf('a', 0).score).toBe(1000);
    expect(live.changeOf(['a'])).toEqual({ kept: [], forgotten: ['a'] });
  });

  it('count no further than they may', () => {
    const tallies = [{ kind: 'unpaid' as const, count: MOST_COUNTED, lastAt: 0 }];
    const after = withStrike({ peer: 'a', points: 1, at: 0, tallies }, 'a', 'unpaid', 0, HALF_LIFE_MS);
    expect(after.tallies[0]?.count).toBe(MOST_COUNTED);
  });
});

describe('a live of strikes', () => {
  it('keeps so many peers; the one struck longest ago makes room, and is told to be gone', () => {
    const { live, changed } = bookOf();
    for (const peer of ['a', 'b', 'c', 'a', 'd']) live.strike(peer, 'lost-execution', 0);
    expect(live.size).toBe(3);
    const { kept, forgotten } = live.changeOf(['a', 'b', 'c', 'd']);
    expect(forgotten).toEqual(['b']);
    expect(kept.map(({ peer, tallies }) => [peer, tallies[0]?.count])).toEqual([
      ['a', 2],
      ['c', 1],
      ['d', 1],
    ]);
    expect(changed.at(-2)).toBe('b');
  });

  it('takes back what was stored, but not what is too old, too much or from the future', () => {
    const before = bookOf({ ...LIMITS, maxPeers: 10 }).live;
    const struckAt = { old: 0, b: 7000, c: 8000, d: 9000, future: 1e9 };
    for (const [peer, at] of Object.entries(struckAt)) before.strike(peer, 'lost-execution', at);
    const stored = before.changeOf(['future', 'd', 'c', 'b', 'old']).kept;
    const { live, changed } = bookOf();
    live.restore(stored, FORGIVEN_MS);
    expect(live.size).toBe(3);
    expect(changed).toEqual(['old', 'b']);
    expect(live.behaviourOf('future', FORGIVEN_MS + HALF_LIFE_MS).score).toBe(667);
  });

  it.prop([
    fc.array(
      fc.record({
        peer: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
        kind: fc.option(anyKind, { nil: undefined }),
        waitMs: fc.nat(3000),
      }),
    ),
  ])('never holds more than its bound, always scores from 1 to 1000, and forgives everybody', (deeds) => {
    const { live } = bookOf();
    let now = 0;
    for (const { peer, kind, waitMs } of deeds) {
      now += waitMs;
      if (kind === undefined) live.good(peer, now);
      else live.strike(peer, kind, now);
      expect(live.size).toBeLessThanOrEqual(LIMITS.maxPeers);
      for (const known of 'abcdef') {
        const { score } = live.behaviourOf(known, now);
        expect(Number.isInteger(score) && score >= 1 && score <= 1000).toBe(true);
      }
    }
    for (const known of 'abcdef') expect(live.behaviourOf(known, now + FORGIVEN_MS).score).toBe(1000);
  });

  it.prop([anyKind, fc.nat(20), fc.nat(20)])('never scores more strikes higher', (kind, few, more) => {
    const { live } = bookOf();
    for (let count = 0; count < few; count += 1) live.strike('few', kind, 0);
    for (let count = 0; count < few + more; count += 1) live.strike('more', kind, 0);
    expect(live.behaviourOf('more', 0).score).toBeLessThanOrEqual(live.behaviourOf('few', 0).score);
  });

  it.prop([fc.array(anyKind, { minLength: 1, maxLength: 50 })])(
    'puts a provider behind its equal until time brings it back',
    (kinds) => {
      const { live } = bookOf();
      for (const kind of kinds) live.strike('a', kind, 0);
      const order = (now: number): string[] =>
        rankBids(
          ['a', 'b'].map((provider) => ({ bid: bidOf(provider), receivedAt: 0 })),
          {
            self: 'self',
            prefer: 'balanced',
            executionTimeoutMs: 1000,
            behaviourOf: (provider) => live.behaviourOf(provider, now),
          },
        ).map(({ provider }) => provider);
      expect(order(0)).toEqual(['b', 'a']);
      expect(order(FORGIVEN_MS)).toEqual(['a', 'b']);
    },
  );
});
