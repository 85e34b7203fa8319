import { fc, it } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { compareBudget, isWithinBudget } from '../../../../src/domain/matching/budget-matching.ts';
import { type Price, pricePeriods } from '../../../../src/domain/units/money.ts';

const MINUTE_MS = 60_000;
const price = (amount: string, per: Price['per'], currency = 'USD'): Price => ({ amount, currency, per });

describe('a budget against a price', () => {
  it.each<[Price, Price, number, string, string, string]>([
    [price('0.001', 'hour'), price('0.020', 'hour'), 10, '0.001 USD per hour', '0.02 USD per hour', 'Worse'],
    [price('0.02', 'hour'), price('0.02', 'hour'), 7, '0.02 USD per hour', '0.02 USD per hour', 'Equal'],
    [
      price('0.003', 'result'),
      price('0.02', 'hour'),
      10,
      '0.003 USD per result',
      '0.003333334 USD per result',
      'Worse',
    ],
    [price('1', 'hour'), price('1', 'result'), 30, '1 USD per hour', '2 USD per hour', 'Worse'],
    [
      price('1', 'second'),
      price('60', 'hour'),
      30,
      '1 USD per second',
      '0.016666667 USD per second',
      'Better',
    ],
  ])('%o against %o for %d min', (budget, asked, minutes, required, available, result) => {
    expect(compareBudget(budget, asked, minutes * MINUTE_MS)).toEqual({
      field: 'budget.maxPrice',
      required,
      available,
      result,
      hard: true,
    });
  });

  it('names the currency where that is what differs, whatever the amounts', () => {
    for (const amount of ['0', '1000']) {
      expect(compareBudget(price(amount, 'hour', 'EUR'), price('0.02', 'hour'), MINUTE_MS)).toEqual({
        field: 'budget.currency',
        required: 'EUR',
        available: 'USD',
        result: 'Error',
        hard: true,
      });
    }
  });

  const anyPrice = fc
    .tuple(fc.integer({ min: 0, max: 10 ** 9 }), fc.constantFrom(...pricePeriods))
    .map(([billionths, per]) => price((billionths / 1e6).toFixed(6), per));
  it.prop([anyPrice, anyPrice, fc.integer({ min: 1, max: 10 ** 9 })])(
    'names an amount that would do',
    (budget, asked, durationMs) => {
      const [amount = ''] = compareBudget(budget, asked, durationMs).available.split(' ');
      fc.pre(amount.split('.')[0]?.length !== undefined && (amount.split('.')[0] ?? '').length <= 12);
      const { result } = compareBudget({ ...budget, amount }, asked, durationMs);
      expect(['Equal', 'Better']).toContain(result);
    },
  );

  const amounts = fc.nat(10 ** 6).map((nano) => (nano / 10 ** 6).toFixed(6));
  const prices = fc.record({
    amount: amounts,
    currency: fc.constantFrom('USD', 'EUR'),
    per: fc.constantFrom(...pricePeriods),
  });
  it.prop([prices, prices, fc.nat(10 ** 8)])(
    'is within it exactly when the comparison says so',
    (budget, asked, ms) => {
      const { result } = compareBudget(budget, asked, ms);
      expect(isWithinBudget(budget, asked, ms)).toBe(result === 'Equal' || result === 'Better');
    },
  );
});
