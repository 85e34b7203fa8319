import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { StrangerTurnout } from '../../../../src/domain/trust/stranger-turnout.ts';

const LIMITS = { halfLifeMs: 600_000, mostExpected: 256 };
const JOB_EVERY_MS = 1000;
const WANTED = 8;

/** Requests that each ask for so many answers of as many strangers as are believed in, of whom so many are real. */
function askAgain(turnout: StrangerTurnout, claimed: number, real: number, requests: number): number {
  let nowMs = 0;
  let answers = 0;
  for (let request = 0; request < requests; request += 1) {
    nowMs += JOB_EVERY_MS;
    const share = Math.min(1, WANTED / (claimed * turnout.rate(nowMs)));
    turnout.asked(share * claimed, nowMs);
    const answered = Math.round(share * real);
    for (let each = 0; each < answered; each += 1) turnout.answered(nowMs);
    answers += answered;
  }
  return answers;
}

describe('what strangers are worth', () => {
  it('is what they say as long as nobody knows better', () => {
    const turnout = new StrangerTurnout(LIMITS);
    expect([turnout.rate(0), turnout.credit(0), turnout.standing(0)]).toEqual([1, 1, 'untried']);
  });

  test.prop([fc.integer({ min: 64, max: 20_000 })])(
    'is next to nothing after a few requests that none of them answers',
    (claimed) => {
      const turnout = new StrangerTurnout(LIMITS);
      askAgain(turnout, claimed, 0, 1);
      expect(turnout.standing(JOB_EVERY_MS)).toBe('silent');
      askAgain(turnout, claimed, 0, 5);
      expect(claimed * turnout.credit(6 * JOB_EVERY_MS)).toBeLessThan(Math.max(16, claimed / 100));
    },
  );

  test.prop([fc.integer({ min: 300, max: 20_000 }), fc.double({ min: 0.3, max: 1, noNaN: true })])(
    'is believed of an honest network, a part of which has something else to do',
    (claimed, answering) => {
      const turnout = new StrangerTurnout(LIMITS);
      askAgain(turnout, claimed, claimed * answering, 20);
      expect(turnout.standing(20 * JOB_EVERY_MS)).toBe('proven');
      expect(turnout.credit(20 * JOB_EVERY_MS)).toBe(1);
      expect(turnout.rate(20 * JOB_EVERY_MS)).toBeGreaterThan(answering / 2);
    },
  );

  it('comes back when they answer after all', () => {
    const turnout = new StrangerTurnout(LIMITS);
    askAgain(turnout, 1000, 0, 10);
    expect(turnout.standing(10_000)).toBe('silent');
    askAgain(turnout, 1000, 1000, 2);
    expect(turnout.standing(12_000)).toBe('proven');
    expect(turnout.credit(12_000)).toBe(1);
  });

  it('is asked about anew after a while', () => {
    const turnout = new StrangerTurnout(LIMITS);
    turnout.asked(100, 0);
    expect(turnout.standing(0)).toBe('silent');
    expect(turnout.standing(5 * LIMITS.halfLifeMs)).toBe('untried');
  });

  it('is not proven by one who answers beside hundreds who do not', () => {
    const turnout = new StrangerTurnout(LIMITS);
    turnout.answered(0);
    turnout.answered(0);
    expect(turnout.standing(0)).toBe('proven');
    turnout.asked(200, 0);
    expect(turnout.standing(0)).toBe('silent');
  });
});
