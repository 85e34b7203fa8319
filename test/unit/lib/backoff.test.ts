import { describe, expect, it } from 'vitest';
import { backoffMs } from '../../../src/lib/backoff.ts';
import { chanceOf } from '../../../src/lib/random.ts';
import { SeededRandom } from '../../simulation/seeded-random.ts';

const OPTIONS = { firstMs: 100, longestMs: 1000, factor: 2 };

describe('a back-off', () => {
  it('grows by its factor, up to its longest wait', () => {
    const waits = [0, 1, 2, 3, 4, 5, 1000].map((attempt) => backoffMs(OPTIONS, attempt, () => 0));
    expect(waits).toEqual([100, 100, 200, 400, 800, 1000, 1000]);
  });

  it('is between half and the whole of that, by chance', () => {
    const chance = chanceOf(new SeededRandom(1));
    const waits = Array.from({ length: 1000 }, () => backoffMs(OPTIONS, 3, chance));
    expect(Math.min(...waits)).toBeGreaterThan(200);
    expect(Math.min(...waits)).toBeLessThan(210);
    expect(Math.max(...waits)).toBeLessThanOrEqual(400);
    expect(Math.max(...waits)).toBeGreaterThan(390);
  });
});
