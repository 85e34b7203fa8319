import { describe, expect, it } from 'vitest';
import { RoundTrips } from '../../../src/network/round-trips.ts';

describe('round trips', () => {
  it('are smoothed: one slow answer moves them by a part', () => {
    const trips = new RoundTrips();
    expect(trips.of('a')).toBeUndefined();
    trips.measured('a', 40);
    expect(trips.of('a')).toBe(40);
    trips.measured('a', 120);
    expect(trips.of('a')).toBe(60);
  });

  it('are kept for so many peers, those that were asked last', () => {
    const trips = new RoundTrips();
    for (let peer = 0; peer < 4096; peer += 1) trips.measured(String(peer), peer);
    trips.measured('0', 0);
    trips.measured('new', 1);
    expect([trips.of('0'), trips.of('1'), trips.of('2'), trips.of('new')]).toEqual([0, undefined, 2, 1]);
  });
});
