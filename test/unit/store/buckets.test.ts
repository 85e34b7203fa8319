import { describe, expect, it } from 'vitest';
import { buckets, countKey, isKeyPart, keyOf, timeKey } from '../../../src/store/buckets.ts';
import { prefixRange } from '../../../src/store/database.ts';

const broken = expect.objectContaining({ code: 'ASSERTION' });

describe('bucket names', () => {
  it('are each other’s prefix nowhere, as keys', () => {
    const prefixes = Object.values(buckets).map((name) => `${name}!`);
    expect(new Set(prefixes).size).toBe(prefixes.length);
    for (const prefix of prefixes) {
      const { gte, lt } = prefixRange(prefix);
      expect(prefixes.filter((other) => other >= gte && other < lt)).toEqual([prefix]);
    }
  });
});

describe('keys', () => {
  it('take a slash in their last part only', () => {
    expect(keyOf('a', 'b/c')).toBe('a/b/c');
    expect(() => keyOf('a/b', 'c')).toThrow(broken);
  });

  it('are neither empty nor endless nor half a character', () => {
    for (const bad of ['', 'x'.repeat(2000), '\ud800']) {
      expect(() => keyOf(bad)).toThrow(broken);
      expect(() => keyOf('a', bad)).toThrow(broken);
      expect(isKeyPart(bad)).toBe(false);
    }
    expect(isKeyPart('a/b')).toBe(false);
    expect(isKeyPart('a')).toBe(true);
  });

  it('sort times and counts as numbers', () => {
    const times = [0, 9, 10, 99.9, 100, 1_800_000_000_000, 9e14];
    expect(times.map(timeKey).toSorted()).toEqual(times.map(timeKey));
    const counts = [0, 1, 9, 10, 1_000_000];
    expect(counts.map(countKey).toSorted()).toEqual(counts.map(countKey));
    for (const bad of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => timeKey(bad)).toThrow(broken);
      expect(() => countKey(bad)).toThrow(broken);
    }
    expect(() => countKey(1.5)).toThrow(broken);
  });

  it('have a range only under a prefix that has an end', () => {
    expect(prefixRange('a/')).toEqual({ gte: 'a/', lt: 'a0' });
    expect(() => prefixRange('')).toThrow(RangeError);
    expect(() => prefixRange('~')).toThrow(RangeError);
  });
});
