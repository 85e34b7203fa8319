import { describe, expect, it } from 'vitest';
import { HandshakePace } from '../../../../src/network/libp2p/handshake-pace.ts';

describe('the pace of handshakes', () => {
  it('lets a few of a prefix begin at once, and the others one after another', () => {
    const pace = new HandshakePace({ burst: 3, perSecond: 20 });
    expect([1, 2, 3, 4, 5].map(() => pace.delayMs('a', 1000))).toEqual([0, 0, 0, 50, 100]);
    expect(pace.delayMs('b', 1000)).toBe(0);
  });

  it('is as at first once a prefix was quiet for a while', () => {
    const pace = new HandshakePace({ burst: 3, perSecond: 20 });
    for (let index = 0; index < 6; index += 1) pace.delayMs('a', 0);
    expect(pace.delayMs('a', 300)).toBe(0);
    expect([1, 2, 3, 4].map(() => pace.delayMs('a', 10_000))).toEqual([0, 0, 0, 50]);
  });
});
