import { beforeAll, describe, expect, it } from 'vitest';
import { ATTACKS } from './attacks/index.ts';
import { type AttackFigure, BOUNDS, type Bounds, figuresOf } from './figures.ts';
import { FULL_PACE, measureAttacks, type Pace } from './measure.ts';

const NAMES = ['empty-frames', 'serving-from-nobody', 'malformed-frames'] as const;

const PACE: Pace = { ...FULL_PACE, warmUpMs: 1500, quietMs: 2500, attackMs: 3500 };

/** Far from what an attack comes to that works, and also from what a busy machine does by itself. */
const LAX: Bounds = {
  ...BOUNDS,
  p50Ratio: 5,
  p99Ratio: 8,
  memoryMb: 150,
  stallMs: 300,
  noiseMs: 600,
};

/** `npm run attack` measures all of them, for longer and against closer bounds. */
describe('strangers that attack a provider and its regular', () => {
  const measured: AttackFigure[] = [];

  beforeAll(async () => {
    const attacks = ATTACKS.filter(({ name }) => NAMES.some((one) => one === name));
    await measureAttacks(attacks, PACE, {
      measured: (one) => measured.push(...figuresOf(one, PACE, LAX)),
      failed: (_attack, error) => {
        throw error;
      },
    });
  }, 120_000);

  it.each(NAMES)('with %s cost neither of them much, and nothing once they are gone', (name) => {
    const figures = measured.filter(({ attack }) => attack === name);
    expect(figures.length).toBeGreaterThan(0);
    expect(figures.filter(({ ok }) => !ok)).toEqual([]);
  });
});
