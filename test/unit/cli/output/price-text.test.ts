import { describe, expect, it } from 'vitest';
import { askingText, priceLinesText, priceText } from '../../../../src/cli/output/price-text.ts';

describe('a price in words', () => {
  const price = { amount: '1.061', currency: 'USD', per: 'hour' };

  it('is its amount, and how it came about', () => {
    const lines = [
      { item: 'base', quantity: '1', rate: '0.001', amount: '0.001' },
      { item: 'cpu', quantity: '1.5', rate: '0.04', amount: '0.06' },
      { item: 'gpu', model: 'Tesla T4', quantity: '2', rate: '0.5', amount: '1' },
    ];
    expect(priceText({ ...price, lines })).toBe('1.061 USD/hour');
    expect(priceLinesText({ ...price, lines })).toBe(
      '0.001 (base) + 0.06 (1.5 cores at 0.04) + 1 (2 × Tesla T4 at 0.5)',
    );
    expect(priceLinesText(price)).toBe('');
  });

  it('is the rates of a card', () => {
    expect(askingText(price)).toBe('1.061 USD/hour');
    expect(
      askingText({
        currency: 'USD',
        base: '0.001',
        cpuHour: '0.04',
        gpuHour: { default: '0.5', A100: '1.2' },
      }),
    ).toBe('0.001 + 0.04/core + 0.5/gpu (A100 1.2) USD/hour');
    expect(askingText({ currency: 'EUR' })).toBe('0 EUR/hour');
  });
});
