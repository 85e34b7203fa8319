import { beforeEach, describe, expect, it } from 'vitest';
import { codeOf } from '../../../../src/lib/coded-error.ts';
import { defaultAdmissionLimits } from '../../../../src/provider/admission/limits.ts';
import { QuestionGate } from '../../../../src/provider/admission/question-gate.ts';
import { defaultProviderLimits } from '../../../../src/provider/options.ts';
import { defaultRetention, defaultStoreLimits } from '../../../../src/store/options.ts';
import { FakeClock } from '../../orchestrator/evaluations/fake-clock.ts';

const times = <T>(count: number, act: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => act(index));

let clock: FakeClock;
let regulars: Set<string>;
let gate: QuestionGate;

beforeEach(() => {
  clock = new FakeClock();
  regulars = new Set();
  gate = new QuestionGate(
    {
      ...defaultAdmissionLimits,
      questionsPerAsker: { burst: 3, perSecond: 1 },
      questionsInTotal: { burst: 5, perSecond: 2 },
      questionsOfEstablished: { burst: 2, perSecond: 1 },
      rememberedRequesters: 64,
    },
    { self: 'provider', clock, isEstablished: (asker) => regulars.has(asker) },
  );
});

function asks(asker: string, isParty = false): boolean {
  try {
    gate.admit(asker, isParty);
    return true;
  } catch (error) {
    if (codeOf(error) !== 'RATE_LIMITED') throw error;
    return false;
  }
}

describe('questions for contracts', () => {
  it('have a rate for each asker', () => {
    expect(times(4, () => asks('a'))).toEqual([true, true, true, false]);
    expect(asks('b')).toBe(true);
    clock.advance(1000);
    expect(times(2, () => asks('a'))).toEqual([true, false]);
  });

  it('have a rate for all askers together, whatever their number', () => {
    expect(times(20, (index) => asks(`stranger-${index}`)).filter(Boolean)).toHaveLength(5);
    clock.advance(1000);
    expect(times(20, (index) => asks(`other-${index}`)).filter(Boolean)).toHaveLength(2);
  });

  it('have a share for regulars that strangers cannot use up', () => {
    times(20, (index) => asks(`stranger-${index}`));
    expect(asks('established')).toBe(false);
    regulars.add('established');
    expect(times(3, () => asks('established'))).toEqual([true, true, false]);
  });

  it('are answered to the party of a contract within its own rate', () => {
    times(20, (index) => asks(`stranger-${index}`));
    expect(times(4, () => asks('requester', true))).toEqual([true, true, true, false]);
  });

  it('cost a party nothing of what there is for all', () => {
    times(3, () => asks('requester', true));
    expect(times(6, (index) => asks(`stranger-${index}`)).filter(Boolean)).toHaveLength(5);
  });

  it('are free for this very node', () => {
    expect(times(50, () => asks('provider')).every(Boolean)).toBe(true);
  });
});

describe('the limits of nevers', () => {
  it('keep them for longer than a proposal can still be accepted', () => {
    const { bidValidMs, lockTtlMs } = defaultProviderLimits;
    const longestMs = Math.max(bidValidMs, lockTtlMs) + lockTtlMs;
    expect(defaultRetention.neversMs).toBeGreaterThan(2 * longestMs);
  });

  it('have room for as many as the rates let come in that time, which go as fast as they come', () => {
    const { questionsInTotal, questionsOfEstablished } = defaultAdmissionLimits;
    const { neversMs, everyMs, callsPerRun } = defaultRetention;
    const perSecond = questionsInTotal.perSecond + questionsOfEstablished.perSecond;
    const atOnce = questionsInTotal.burst + questionsOfEstablished.burst;
    expect(atOnce + (perSecond * (neversMs + 2 * everyMs)) / 1000).toBeLessThan(defaultStoreLimits.nevers);
    expect((perSecond * everyMs) / 1000).toBeLessThan(callsPerRun * defaultStoreLimits.pruneScan);
  });
});
