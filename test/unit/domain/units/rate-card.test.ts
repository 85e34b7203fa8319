import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { amountToNano, isDecimalAmount } from '../../../../src/domain/units/money.ts';
import {
  addsUp,
  gpuRateOf,
  priceOf,
  type RateCard,
  type Taken,
} from '../../../../src/domain/units/rate-card.ts';

const GIB = 2 ** 30;
const CARD: RateCard = {
  currency: 'USD',
  base: '0.001',
  cpuHour: '0.04',
  memoryGiBHour: '0.005',
  diskGiBHour: '0.0001',
  gpuHour: { default: '0.5', A100: '1.2', 'A100-SXM4-80GB': '1.9' },
};
const NOTHING: Taken = { cpuMillis: 0, memoryBytes: 0, diskBytes: 0, models: [] };

describe('a rate card', () => {
  it('asks for what is taken, line by line', () => {
    const taken = {
      cpuMillis: 1500,
      memoryBytes: 4 * GIB,
      diskBytes: 10 * GIB,
      models: ['Tesla T4', 'Tesla T4'],
    };
    expect(priceOf(CARD, taken)).toEqual({
      amount: '1.082',
      currency: 'USD',
      per: 'hour',
      lines: [
        { item: 'base', quantity: '1', rate: '0.001', amount: '0.001' },
        { item: 'cpu', quantity: '1.5', rate: '0.04', amount: '0.06' },
        { item: 'memory', quantity: '4', rate: '0.005', amount: '0.02' },
        { item: 'disk', quantity: '10', rate: '0.0001', amount: '0.001' },
        { item: 'gpu', model: 'Tesla T4', quantity: '2', rate: '0.5', amount: '1' },
      ],
    });
  });

  it('makes eight devices eight times as dear as one, and dearer than none', () => {
    const of = (count: number): bigint =>
      amountToNano(priceOf(CARD, { ...NOTHING, models: Array.from({ length: count }, () => 'A100') }).amount);
    const base = amountToNano('0.001');
    expect(of(0)).toBe(base);
    expect(of(8) - base).toBe(8n * (of(1) - base));
  });

  it('has no line for what nothing is asked for, nor for what is not taken', () => {
    expect(
      priceOf({ currency: 'USD', cpuHour: '1' }, { ...NOTHING, memoryBytes: GIB, models: ['A100'] }),
    ).toEqual({
      amount: '0',
      currency: 'USD',
      per: 'hour',
      lines: [],
    });
  });

  it('takes the rate of the longest name in a model, in any case, and else the default', () => {
    expect(gpuRateOf(CARD, 'NVIDIA A100-SXM4-80GB')).toBe('1.9');
    expect(gpuRateOf(CARD, 'nvidia a100-pcie-40gb')).toBe('1.2');
    expect(gpuRateOf(CARD, 'Default 3000')).toBe('0.5');
    expect(gpuRateOf({ currency: 'USD' }, 'NVIDIA A100')).toBeUndefined();
  });

  it('leaves one price for everything as it is', () => {
    const price = { amount: '0.02', currency: 'USD', per: 'result' } as const;
    expect(priceOf(price, NOTHING)).toBe(price);
  });

  const amount = fc
    .record({ whole: fc.integer({ min: 0, max: 99_999 }), rest: fc.integer({ min: 0, max: 999_999_999 }) })
    .map(({ whole, rest }) => `${whole}.${String(rest).padStart(9, '0')}`);
  const taken = fc.record({
    cpuMillis: fc.integer({ min: 0, max: 1_000_000 }),
    memoryBytes: fc.integer({ min: 0, max: 2 ** 50 }),
    diskBytes: fc.integer({ min: 0, max: 2 ** 50 }),
    models: fc.array(fc.constantFrom('A100', 'H100', 'Tesla T4'), { maxLength: 64 }),
  });
  const card = fc.record({
    currency: fc.constant('USD'),
    base: amount,
    cpuHour: amount,
    memoryGiBHour: amount,
    diskGiBHour: amount,
    gpuHour: fc.record({ default: amount, H100: amount }),
  });

  test.prop([card, taken])('comes to what its lines add up to, an amount like any other', (rates, some) => {
    const price = priceOf(rates, some);
    expect(isDecimalAmount(price.amount)).toBe(true);
    expect(addsUp(price)).toBe(true);
    expect(addsUp({ ...price, amount: '0.000000001' })).toBe(false);
  });

  it('does not add up where a line is not its quantity times its rate', () => {
    const line = { item: 'cpu', quantity: '1.5', rate: '0.04', amount: '0.06' } as const;
    const priced = (changes: object) => ({
      amount: '0.06',
      currency: 'USD',
      per: 'hour' as const,
      lines: [{ ...line, ...changes }],
    });
    expect(addsUp(priced({}))).toBe(true);
    expect(addsUp(priced({ rate: '0.0001' }))).toBe(false);
    expect(addsUp(priced({ quantity: '100' }))).toBe(false);
  });

  test.prop([card, taken, taken])('never asks less for more', (rates, a, b) => {
    const both = {
      cpuMillis: a.cpuMillis + b.cpuMillis,
      memoryBytes: a.memoryBytes + b.memoryBytes,
      diskBytes: a.diskBytes + b.diskBytes,
      models: [...a.models, ...b.models],
    };
    expect(nano(priceOf(rates, both).amount)).toBeGreaterThanOrEqual(nano(priceOf(rates, a).amount));
  });
});

/** Both together may be more than a machine has, and so more than an amount may be. */
function nano(text: string): bigint {
  const [whole = '0', fraction = ''] = text.split('.');
  return BigInt(whole) * 10n ** 9n + BigInt(fraction.padEnd(9, '0'));
}
