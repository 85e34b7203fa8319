import { fc, it } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { amountToNano, costNano, decimalAmount, nanoToAmount } from '../../../../src/domain/units/money.ts';

const LARGEST_NANO = 10n ** 21n - 1n;
const anyNano = fc.bigInt({ min: 0n, max: LARGEST_NANO });

describe('amounts', () => {
  it.each([
    ['0', 0n],
    ['0.10', 100_000_000n],
    ['12', 12_000_000_000n],
    ['0.000000001', 1n],
    ['999999999999.999999999', LARGEST_NANO],
  ])('%s is %d billionths', (text, nano) => {
    expect(amountToNano(text)).toBe(nano);
  });

  it.each(['', '.5', '5.', '-1', '+1', '1e3', '0x1', '1,5', ' 1', '1\n', '0.0000000001', '1'.repeat(13)])(
    'refuses %j',
    (text) => {
      expect(() => amountToNano(text)).toThrow(RangeError);
      expect(decimalAmount.safeParse(text).success).toBe(false);
    },
  );

  it('writes the shortest text', () => {
    expect([nanoToAmount(0n), nanoToAmount(100_000_000n), nanoToAmount(3_000_000_000n)]).toEqual([
      '0',
      '0.1',
      '3',
    ]);
  });

  it.prop([anyNano])('survive the way to text and back', (nano) => {
    expect(amountToNano(nanoToAmount(nano))).toBe(nano);
  });
});

describe('the cost of a price', () => {
  it('is the amount itself when paid per result', () => {
    expect(costNano({ amount: '2.5', currency: 'USD', per: 'result' }, 1)).toBe(2_500_000_000n);
  });

  it.each([
    ['second', 1500, 1_500_000_000n],
    ['minute', 90_000, 1_500_000_000n],
    ['hour', 600_000, 166_666_667n],
    ['hour', 0, 0n],
    ['second', 0.2, 1_000_000n],
  ] as const)('per %s for %d ms', (per, durationMs, nano) => {
    expect(costNano({ amount: '1', currency: 'USD', per }, durationMs)).toBe(nano);
  });

  it.prop([anyNano, fc.constantFrom('second' as const, 'minute' as const, 'hour' as const), fc.nat()])(
    'is never rounded down, and by less than a billionth up',
    (nano, per, durationMs) => {
      const cost = costNano({ amount: nanoToAmount(nano), currency: 'USD', per }, durationMs);
      const periodMs = { second: 1000n, minute: 60_000n, hour: 3_600_000n }[per];
      const exact = nano * BigInt(durationMs);
      expect(cost * periodMs >= exact).toBe(true);
      expect((cost - 1n) * periodMs < exact).toBe(true);
    },
  );

  it.prop([anyNano, anyNano, fc.nat()])('is never less for the higher price', (a, b, durationMs) => {
    const cost = (nano: bigint): bigint =>
      costNano({ amount: nanoToAmount(nano), currency: 'USD', per: 'hour' }, durationMs);
    expect(a <= b ? cost(a) <= cost(b) : cost(a) >= cost(b)).toBe(true);
  });
});
