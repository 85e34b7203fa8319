import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { isInAnswerShare, isInDeclineShare } from '../../../../src/domain/market/answer-share.ts';
import {
  answerDelayMs,
  type AnswerQuestion,
  answerFit,
  planAnswers,
} from '../../../../src/domain/ranking/answering.ts';

const question = (over: Partial<AnswerQuestion> = {}): AnswerQuestion => ({
  networkSize: 1000,
  wantedBids: 3,
  attempt: 1,
  seen: { compared: 500, fits: Array.from({ length: 500 }, (_, index) => index) },
  bestFits: true,
  ...over,
});

/** Providers expected to answer, out of `fits` that each stand for `standsFor`. */
function expectedBids(asked: AnswerQuestion): number {
  const { answerShare, answerFit: bounds } = planAnswers(asked);
  const standsFor = asked.networkSize / asked.seen.compared;
  const reached = asked.seen.fits.filter((fit) => fit >= (bounds?.least ?? 0));
  return reached.length * standsFor * answerShare;
}

describe('who is asked to answer', () => {
  it('is everybody where there are hardly more than bids wanted', () => {
    expect(planAnswers(question({ networkSize: 6 }))).toEqual({ answerShare: 1 });
  });

  it('is a share by size alone while the adverts say nothing', () => {
    const plan = planAnswers(question({ seen: { compared: 0, fits: [] } }));
    expect(plan).toEqual({ answerShare: 0.005 });
  });

  it('is everybody when only few fit', () => {
    const seen = { compared: 500, fits: [10, 20] };
    expect(planAnswers(question({ seen }))).toEqual({ answerShare: 1 });
  });

  it('is the best by name where the table knows everybody', () => {
    const seen = { compared: 100, fits: Array.from({ length: 100 }, (_, index) => index) };
    expect(planAnswers(question({ networkSize: 100, seen }))).toEqual({
      answerShare: 1,
      answerFit: { least: 95, best: 99 },
    });
  });

  it('is nobody the less for how well they fit when something else decides', () => {
    expect(planAnswers(question({ bestFits: false })).answerFit).toBeUndefined();
  });

  it('is found more widely with each round, until it is everybody', () => {
    const expected = [1, 2, 3, 4, 5].map((attempt) => Math.round(expectedBids(question({ attempt }))));
    expect(expected).toEqual([5, 40, 320, 1000, 1000]);
  });

  test.prop([
    fc.integer({ min: 1, max: 20 }),
    fc.integer({ min: 16, max: 100_000 }),
    fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 512 }),
    fc.integer({ min: 0, max: 512 }),
  ])(
    'brings at most twice the wanted bids, and in the first round some',
    (wantedBids, size, fits, others) => {
      const compared = fits.length + others;
      fc.pre(compared >= 16);
      const networkSize = Math.max(size, compared);
      const expected = expectedBids(question({ networkSize, wantedBids, seen: { compared, fits } }));
      expect(expected).toBeLessThanOrEqual(wantedBids * 2 + 1e-6);
      const available = (fits.length * networkSize) / compared;
      expect(expected).toBeGreaterThanOrEqual(Math.min(available, wantedBids * 1.5) - 1e-6);
    },
  );
});

describe('a provider that is to answer', () => {
  const request = { answerAlways: false, answerShare: 0.5, answerFit: { least: 500, best: 900 } };

  it('waits the longer the worse the job fits', () => {
    const delays = [900, 800, 500].map((fit) => answerDelayMs(request, fit));
    expect(delays).toEqual([0, 75, 300]);
  });

  it('does not wait where everybody answers, or where all fit alike', () => {
    expect(answerDelayMs({ ...request, answerAlways: true }, 500)).toBe(0);
    expect(answerDelayMs({ answerAlways: false, answerShare: 1 }, 500)).toBe(0);
    expect(answerDelayMs({ ...request, answerFit: { least: 500, best: 500 } }, 500)).toBe(0);
  });

  it('fits better on a machine that stays more idle and whole', () => {
    const half = { cpuFree: 0.5, memoryFree: 0.5, diskFree: 0.9, gpusFree: 0, gpus: 0 };
    expect(answerFit(1000, half, 0)).toBeGreaterThan(answerFit(1000, { ...half, cpuFree: 0.1 }, 0));
    expect(answerFit(1000, half, 0)).toBeGreaterThan(answerFit(500, half, 0));
  });

  it('is drawn anew for each request, and for a no apart from a yes', () => {
    const peers = Array.from({ length: 4000 }, (_, index) => `peer-${index}`);
    const bids = peers.filter((peer) => isInAnswerShare('request', peer, 0.1));
    const declines = peers.filter((peer) => isInDeclineShare('request', peer, 0.1));
    expect(Math.abs(bids.length - 400)).toBeLessThan(80);
    expect(Math.abs(declines.length - 400)).toBeLessThan(80);
    expect(bids.filter((peer) => declines.includes(peer)).length).toBeLessThan(100);
    expect(peers.some((peer) => isInDeclineShare('request', peer, 0))).toBe(false);
  });
});
