import { describe, expect, it } from 'vitest';
import { asking } from '../../../src/messages/field-schemas.ts';

describe('what a provider asks, on the wire', () => {
  it.each([
    [{ amount: '0.02', currency: 'USD', per: 'hour' }],
    [{ currency: 'USD', base: '0.001', cpuHour: '0.04', gpuHour: { default: '0.5', A100: '1.2' } }],
  ])('is a price or a rate card: %j', (said) => {
    expect(asking.parse(said)).toEqual(said);
  });

  it.each([
    [
      'an amount that is none, which is no card without rates',
      { amount: '-1', currency: 'USD', per: 'hour' },
    ],
    ['devices without a rate for all others', { currency: 'USD', gpuHour: { A100: '1.2' } }],
    ['a rate that is no amount', { currency: 'USD', cpuHour: '1e9' }],
  ])('is not %s', (_, said) => {
    expect(asking.safeParse(said).success).toBe(false);
  });
});
