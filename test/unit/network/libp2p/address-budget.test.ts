import { multiaddr } from '@multiformats/multiaddr';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../../src/lib/clock.ts';
import { AddressBudget } from '../../../../src/network/libp2p/address-budget.ts';

class MovedClock implements Clock {
  timeMs = 1000;

  nowMs(): number {
    return this.timeMs;
  }

  monotonicMs(): number {
    return this.timeMs;
  }

  livedMs(): number {
    return this.timeMs;
  }

  after(): never {
    throw new Error('no timer is needed');
  }
}

const address = (third: number, fourth = 1) => multiaddr(`/ip4/198.51.${third}.${fourth}/tcp/4001`);

describe('a budget of addresses', () => {
  it('bounds the connections with the network of one owner', () => {
    const clock = new MovedClock();
    const budget = new AddressBudget({ burst: 100, perSecond: 1 }, { burst: 2, perSecond: 1 }, clock);
    expect([1, 2, 3].map((fourth) => budget.take(address(1, fourth)))).toEqual([true, true, false]);
    expect(budget.take(address(2))).toBe(true);
    clock.timeMs += 1000;
    expect(budget.take(address(1))).toBe(true);
    expect(budget.take(address(1))).toBe(false);
  });

  it('bounds the connections in total', () => {
    const clock = new MovedClock();
    const budget = new AddressBudget({ burst: 3, perSecond: 2 }, { burst: 10, perSecond: 10 }, clock);
    expect([1, 2, 3, 4].map((third) => budget.take(address(third)))).toEqual([true, true, true, false]);
    clock.timeMs += 499;
    expect(budget.take(address(5))).toBe(false);
    clock.timeMs += 1;
    expect(budget.take(address(5))).toBe(true);
  });

  it('takes nothing from one budget when the other is spent', () => {
    const clock = new MovedClock();
    const budget = new AddressBudget({ burst: 2, perSecond: 0 }, { burst: 1, perSecond: 0 }, clock);
    expect(budget.take(address(1))).toBe(true);
    expect(Array.from({ length: 5 }, () => budget.take(address(1)))).not.toContain(true);
    expect(budget.take(address(2))).toBe(true);
  });

  it('can be charged for a network, into a debt of one burst', () => {
    const clock = new MovedClock();
    const budget = new AddressBudget({ burst: 100, perSecond: 1 }, { burst: 3, perSecond: 1 }, clock);
    budget.charge(address(1), 2);
    expect([1, 2].map((fourth) => budget.take(address(1, fourth)))).toEqual([true, false]);
    expect(budget.take(address(2))).toBe(true);
    budget.charge(address(1), 1000);
    clock.timeMs += 3999;
    expect(budget.take(address(1))).toBe(false);
    clock.timeMs += 1;
    expect(budget.take(address(1))).toBe(true);
  });

  it('saves up no more than a burst', () => {
    const clock = new MovedClock();
    const budget = new AddressBudget({ burst: 2, perSecond: 1 }, { burst: 9, perSecond: 9 }, clock);
    clock.timeMs += 3_600_000;
    expect([1, 2, 3].map((third) => budget.take(address(third)))).toEqual([true, true, false]);
  });
});
