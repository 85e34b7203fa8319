import { describe, expect, it } from 'vitest';
import { Spread } from '../../../src/lib/spread.ts';

describe('a spread', () => {
  it.each([10, 100, 1000, 100_000])('gives %i fractions, of which each tenth holds as many', (count) => {
    const spread = new Spread();
    const inTenth = Array.from({ length: 10 }, () => 0);
    for (let index = 0; index < count; index += 1) {
      const fraction = spread.next();
      expect(fraction).toBeGreaterThanOrEqual(0);
      expect(fraction).toBeLessThan(1);
      inTenth[Math.floor(fraction * 10)]! += 1;
    }
    expect(Math.max(...inTenth) - count / 10).toBeLessThanOrEqual(5);
    expect(count / 10 - Math.min(...inTenth)).toBeLessThanOrEqual(5);
  });
});
