import { describe, expect, it } from 'vitest';
import type { Attack } from '../../attack/attack.ts';
import { figuresOf } from '../../attack/figures.ts';
import { FULL_PACE, type Measured, type Phase } from '../../attack/measure.ts';

const attack: Attack = {
  name: 'some-attack',
  about: '',
  protocol: '',
  never: 'contracts',
  prepare: async () => async () => {},
};

function phase(tookMs: readonly number[], changes: Partial<Phase['readings'][number]> = {}): Phase {
  return {
    jobs: tookMs.map((ms, at) => ({ postedAtMs: at, tookMs: ms, completed: true })),
    readings: [
      { longestMs: 9, longestCpuMs: 5, peakRssBytes: 150e6 },
      { longestMs: 9, longestCpuMs: 5, peakRssBytes: 160e6, ...changes },
    ],
  };
}

const harmless: Measured = {
  attack,
  counts: {},
  before: phase([200, 200, 300]),
  during: phase([200, 250, 400]),
  after: phase([200]),
  again: phase([200, 200]),
  restBytes: [150e6, 161e6],
  recoveredMs: 300,
  recoveredAfterRestartMs: 900,
};

function missed(changes: Partial<Measured>): readonly string[] {
  return figuresOf({ ...harmless, ...changes }, FULL_PACE)
    .filter(({ ok }) => !ok)
    .map(({ metric, after }) => (after === undefined ? metric : `${metric} ${after}`));
}

describe('figures of an attack', () => {
  it('all hold where nothing changed', () => {
    expect(missed({})).toEqual([]);
    expect(figuresOf(harmless, FULL_PACE).map(({ metric }) => metric)).toEqual([
      'honest_p50_ratio',
      'honest_p99_ratio',
      'memory_growth',
      'longest_stall',
      'recovered',
      'recovered',
      'wrongly_taken',
    ]);
  });

  it.each([
    ['a slower median', { during: phase([500, 500, 500]) }, ['honest_p50_ratio']],
    ['one job that was much slower', { during: phase([200, 200, 1200]) }, ['honest_p99_ratio']],
    ['memory of one node', { during: phase([200], { peakRssBytes: 261e6 }) }, ['memory_growth']],
    ['a stall after the end', { after: phase([200], { longestCpuMs: 101 }) }, ['longest_stall']],
    ['no recovery', { recoveredMs: undefined }, ['recovered attack']],
    ['no recovery after a restart', { recoveredAfterRestartMs: 10_001 }, ['recovered restart']],
    ['what must not be taken', { counts: { contracts: 1 } }, ['wrongly_taken']],
    ['no job at all', { during: phase([]) }, ['honest_p50_ratio', 'honest_p99_ratio']],
  ] as const)('miss their bound: %s', (_what, changes, bounds) => {
    expect(missed(changes)).toEqual(bounds);
  });

  it('do not count a difference that is the noise of the machine', () => {
    expect(missed({ before: phase([20]), again: phase([20]), during: phase([75]) })).toEqual([]);
  });
});
