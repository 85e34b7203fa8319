import { test, fc } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import type { Patience } from '../../../../src/domain/trust/stranger-turnout.ts';
import { judgeWindow, type WindowState } from '../../../../src/orchestrator/search/bid-window.ts';

const OPTIONS = { quietMs: 50, loneGraceMs: 300, indirectMs: 1000, newcomerMs: 250, partialWindowMs: 2000 };

function stateOf(changes: Partial<WindowState> = {}): WindowState {
  return {
    openedAtMs: 0,
    timeoutMs: 5000,
    wantedBids: 2,
    bids: 0,
    lastBidAtMs: undefined,
    audience: new Set(['a', 'b', 'self']),
    leftOut: new Set(),
    answered: new Set(),
    self: 'self',
    everyoneAnswers: true,
    chosen: false,
    ...changes,
  };
}

describe('the bid window', () => {
  it('ends with the timeout at the latest', () => {
    expect(judgeWindow(stateOf(), OPTIONS, 4999)).toEqual({ kind: 'wait', untilMs: 5000 });
    expect(judgeWindow(stateOf(), OPTIONS, 5000)).toEqual({ kind: 'close', reason: 'timeout' });
  });

  it('ends a short quiet after enough bids', () => {
    const state = stateOf({ bids: 2, lastBidAtMs: 100, answered: new Set(['a', 'b']) });
    expect(judgeWindow(state, OPTIONS, 120)).toEqual({ kind: 'wait', untilMs: 150 });
    expect(judgeWindow(state, OPTIONS, 150)).toEqual({ kind: 'close', reason: 'enough' });
  });

  it('does not end with too few bids', () => {
    const state = stateOf({ bids: 1, lastBidAtMs: 100, answered: new Set(['a']) });
    expect(judgeWindow(state, OPTIONS, 1000)).toEqual({ kind: 'wait', untilMs: 5000 });
  });

  it('ends at once when everybody has answered, bid or no', () => {
    const state = stateOf({ bids: 1, lastBidAtMs: 10, answered: new Set(['a', 'b', 'self']) });
    expect(judgeWindow(state, OPTIONS, 10)).toEqual({ kind: 'close', reason: 'everyone-answered' });
  });

  it('does not count on silence where not everybody answers', () => {
    const state = stateOf({ everyoneAnswers: false, answered: new Set(['a', 'b', 'self']) });
    expect(judgeWindow(state, OPTIONS, 10)).toEqual({ kind: 'wait', untilMs: 5000 });
  });

  it('ends on a large network with the bids that came while those who were asked could answer', () => {
    const state = stateOf({ everyoneAnswers: false, bids: 1, lastBidAtMs: 500 });
    expect(judgeWindow(state, OPTIONS, 1000)).toEqual({ kind: 'wait', untilMs: 2000 });
    expect(judgeWindow(state, OPTIONS, 2000)).toEqual({ kind: 'close', reason: 'enough' });
    const none = stateOf({ everyoneAnswers: false });
    expect(judgeWindow(none, OPTIONS, 2000)).toEqual({ kind: 'wait', untilMs: 5000 });
  });

  it('ends a short quiet after the bids of all that can make one', () => {
    const state = stateOf({ everyoneAnswers: false, wantedBids: 5, knownFits: 2, bids: 1, lastBidAtMs: 100 });
    expect(judgeWindow(state, OPTIONS, 150)).toEqual({ kind: 'wait', untilMs: 2000 });
    const both = { ...state, bids: 2 };
    expect(judgeWindow(both, OPTIONS, 120)).toEqual({ kind: 'wait', untilMs: 150 });
    expect(judgeWindow(both, OPTIONS, 150)).toEqual({ kind: 'close', reason: 'enough' });
  });

  it('gives a node that is alone a moment to meet others', () => {
    const alone = stateOf({
      audience: new Set(['self']),
      answered: new Set(['self']),
      bids: 1,
      lastBidAtMs: 5,
    });
    expect(judgeWindow(alone, OPTIONS, 5)).toEqual({ kind: 'wait', untilMs: 300 });
    expect(judgeWindow(alone, OPTIONS, 300)).toEqual({ kind: 'close', reason: 'everyone-answered' });
  });

  it('waits for somebody to come when there is nobody', () => {
    expect(judgeWindow(stateOf({ audience: new Set() }), OPTIONS, 10)).toEqual({
      kind: 'wait',
      untilMs: 5000,
    });
  });

  it('ends at once when everybody who is there is excluded', () => {
    const nobodyLeft = stateOf({ audience: new Set(), leftOut: new Set(['a', 'self']) });
    expect(judgeWindow(nobodyLeft, OPTIONS, 10)).toEqual({ kind: 'close', reason: 'everyone-answered' });
    const large = { ...nobodyLeft, everyoneAnswers: false };
    expect(judgeWindow(large, OPTIONS, 10)).toEqual({ kind: 'wait', untilMs: 5000 });
  });

  it('gives a node that is alone a moment to meet others, also where its own bid is not wanted', () => {
    const alone = stateOf({ audience: new Set(), leftOut: new Set(['self']) });
    expect(judgeWindow(alone, OPTIONS, 10)).toEqual({ kind: 'wait', untilMs: 300 });
    expect(judgeWindow(alone, OPTIONS, 300)).toEqual({ kind: 'close', reason: 'everyone-answered' });
  });

  it('ends at once when nobody of those it was meant for can be reached', () => {
    const nobody = stateOf({ chosen: true, audience: new Set() });
    expect(judgeWindow(nobody, OPTIONS, 0)).toEqual({ kind: 'close', reason: 'everyone-answered' });
  });

  it('waits for those it was meant for, and for nobody else', () => {
    const asked = stateOf({ chosen: true, audience: new Set(['self']) });
    expect(judgeWindow(asked, OPTIONS, 5)).toEqual({ kind: 'wait', untilMs: 5000 });
    const answered = { ...asked, answered: new Set(['self']) };
    expect(judgeWindow(answered, OPTIONS, 5)).toEqual({ kind: 'close', reason: 'everyone-answered' });
  });

  const peers = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'self'));
  test.prop([
    fc.record({
      openedAtMs: fc.nat(1000),
      timeoutMs: fc.integer({ min: 0, max: 6000 }),
      wantedBids: fc.integer({ min: 1, max: 4 }),
      bids: fc.nat(5),
      lastBidAtMs: fc.option(fc.nat(7000), { nil: undefined }),
      audience: peers.map((list) => new Set(list)),
      leftOut: peers.map((list) => new Set(list)),
      answered: peers.map((list) => new Set(list)),
      self: fc.constant('self'),
      everyoneAnswers: fc.boolean(),
      chosen: fc.boolean(),
    }),
    fc.nat(8000),
  ])('never asks to be woken in the past or behind the timeout', (state, nowMs) => {
    const verdict = judgeWindow(state, OPTIONS, nowMs);
    if (verdict.kind === 'close') return;
    expect(verdict.untilMs).toBeGreaterThan(nowMs);
    expect(verdict.untilMs).toBeLessThanOrEqual(state.openedAtMs + state.timeoutMs);
  });

  describe('where providers hear the request only through others', () => {
    const all = { answered: new Set(['a', 'b', 'self']) };
    const indirect = { fitting: ['c'], mayBeMore: false };

    it('waits a while for those that could take the job', () => {
      const state = stateOf({ ...all, bids: 1, lastBidAtMs: 10, indirect });
      expect(judgeWindow(state, OPTIONS, 20)).toEqual({ kind: 'wait', untilMs: 1000 });
      expect(judgeWindow(state, OPTIONS, 1000)).toEqual({ kind: 'close', reason: 'everyone-answered' });
    });

    it('does not wait once they have answered, or where the bids are enough', () => {
      const answered = new Set(['a', 'b', 'self', 'c']);
      const closed = { kind: 'close', reason: 'everyone-answered' };
      expect(judgeWindow(stateOf({ answered, bids: 1, lastBidAtMs: 10, indirect }), OPTIONS, 20)).toEqual(
        closed,
      );
      expect(judgeWindow(stateOf({ ...all, bids: 2, lastBidAtMs: 10, indirect }), OPTIONS, 20)).toEqual(
        closed,
      );
    });

    it.each([
      ['full', 1000],
      ['brief', 250],
      ['none', 0],
    ] as const)(
      'waits for those with patience %s no longer than %i ms where somebody known has bid',
      (patience, atMs) => {
        const indirect = { fitting: ['p'], mayBeMore: false };
        const state = stateOf({
          ...all,
          bids: 1,
          lastBidAtMs: 10,
          knownBid: true,
          indirect,
          patience: (peer) => (peer === 'p' ? patience : 'full'),
        });
        const closes = [0, 249, 250, 999, 1000].find(
          (nowMs) => judgeWindow(state, OPTIONS, nowMs).kind === 'close',
        );
        expect(closes).toBe(atMs);
      },
    );

    it('waits for some that it has not heard of while there is no bid, unless nobody could hand it on', () => {
      const more = { fitting: [], mayBeMore: true };
      const closed = { kind: 'close', reason: 'everyone-answered' };
      expect(judgeWindow(stateOf({ ...all, indirect: more }), OPTIONS, 20)).toEqual({
        kind: 'wait',
        untilMs: 1000,
      });
      expect(judgeWindow(stateOf({ ...all, bids: 1, lastBidAtMs: 10, indirect: more }), OPTIONS, 20)).toEqual(
        closed,
      );
      const alone = stateOf({ audience: new Set(['self']), answered: new Set(['self']), indirect: more });
      expect(judgeWindow(alone, OPTIONS, 20)).toEqual({ kind: 'wait', untilMs: 300 });
    });
  });
});

describe('the bid window and those who were never heard of but by adverts', () => {
  const large = (changes: Partial<WindowState>): WindowState =>
    stateOf({ everyoneAnswers: false, wantedBids: 5, audience: new Set(['a']), ...changes });
  const bidOfA = { bids: 1, lastBidAtMs: 30, answered: new Set(['a']) };

  it.each(['untried', 'silent'] as const)('does not wait for %s ones once somebody has bid', (strangers) => {
    expect(judgeWindow(large({ ...bidOfA, strangers }), OPTIONS, 30)).toMatchObject({ reason: 'enough' });
  });

  it('does not wait for them where nobody who was to answer for certain is in reach either', () => {
    const nobody = large({ ...bidOfA, audience: new Set(), strangers: 'untried', knownBid: true });
    expect(judgeWindow(nobody, OPTIONS, 30)).toMatchObject({ reason: 'enough' });
  });

  it('gives untried ones a moment where no bid is by anybody known, and silent ones none', () => {
    const unknown = { ...bidOfA, knownBid: false };
    expect(judgeWindow(large({ ...unknown, strangers: 'untried' }), OPTIONS, 999).kind).toBe('wait');
    expect(judgeWindow(large({ ...unknown, strangers: 'untried' }), OPTIONS, 1000).kind).toBe('close');
    expect(judgeWindow(large({ ...unknown, strangers: 'silent' }), OPTIONS, 30).kind).toBe('close');
  });

  it('waits for those that are proven, and where nothing is known of them', () => {
    for (const known of [{ strangers: 'proven' as const }, {}]) {
      expect(judgeWindow(large({ ...bidOfA, ...known }), OPTIONS, 30)).toEqual({
        kind: 'wait',
        untilMs: 2000,
      });
    }
  });

  it('waits for who was asked by name, and with no bid for the others as well', () => {
    const asked = { bids: 1, lastBidAtMs: 30, audience: new Set(['a', 'b']), answered: new Set(['a']) };
    expect(judgeWindow(large({ ...asked, strangers: 'silent' }), OPTIONS, 30).kind).toBe('wait');
    const none = { answered: new Set(['a']) };
    expect(judgeWindow(large({ ...none, strangers: 'untried' }), OPTIONS, 1000).kind).toBe('wait');
    expect(judgeWindow(large({ ...none, strangers: 'silent' }), OPTIONS, 999).kind).toBe('wait');
    expect(judgeWindow(large({ ...none, strangers: 'silent' }), OPTIONS, 1000)).toMatchObject({
      reason: 'everyone-answered',
    });
  });
});

describe('the bid window and those who have the request and say nothing', () => {
  const withSilent = (patience: Patience, bids: number): WindowState =>
    stateOf({
      bids,
      ...(bids > 0 ? { lastBidAtMs: 10 } : {}),
      answered: new Set(['b', 'self']),
      patience: (peer) => (peer === 'a' ? patience : 'full'),
    });
  const closesAtMs = (state: WindowState): number =>
    [0, 1000, 5000].find((nowMs) => judgeWindow(state, OPTIONS, nowMs).kind === 'close') ?? Number.NaN;

  it('waits a moment for newcomers where somebody known has bid', () => {
    const state = { ...withSilent('brief', 1), knownBid: true };
    expect([249, 250].map((nowMs) => judgeWindow(state, OPTIONS, nowMs).kind)).toEqual(['wait', 'close']);
  });

  it('leaves that wait to one search at a time', () => {
    const state = { ...withSilent('brief-elsewhere', 1), knownBid: true };
    expect(judgeWindow(state, OPTIONS, 10).kind).toBe('close');
  });

  it.each([
    ['full', 1, 5000],
    ['brief-elsewhere', 1, 1000],
    ['brief-elsewhere', 0, 5000],
    ['full', 0, 5000],
    ['brief', 1, 1000],
    ['brief', 0, 5000],
    ['none', 1, 0],
    ['none', 0, 1000],
  ] as const)('waits with patience %s and %i bids until %i ms', (patience, bids, atMs) => {
    expect(closesAtMs(withSilent(patience, bids))).toBe(atMs);
  });
});
