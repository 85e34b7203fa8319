import { fc, it } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { byteQuantity, cpuQuantity, durationQuantity } from '../../../../src/domain/units/quantities.ts';

describe('cores', () => {
  it.each([
    ['500m', 500],
    ['0.5', 500],
    ['2', 2000],
    [2, 2000],
    [' 1.25 ', 1250],
    ['0.0005', 1],
  ])('%j is %d thousandths', (input, millis) => {
    expect(cpuQuantity.parse(input)).toBe(millis);
  });

  it.each(['', 'm', '-1', '1e3', '5k', '1001', 'NaN', Number.NaN, -1, Number.POSITIVE_INFINITY])(
    'refuses %j',
    (input) => {
      expect(cpuQuantity.safeParse(input).success).toBe(false);
    },
  );
});

describe('sizes', () => {
  it.each([
    ['256MiB', 256 * 2 ** 20],
    ['1GB', 1_000_000_000],
    ['1.5 GiB', 1.5 * 2 ** 30],
    ['12', 12],
    [12, 12],
    ['0B', 0],
    ['1PiB', 2 ** 50],
  ])('%j is %d bytes', (input, bytes) => {
    expect(byteQuantity.parse(input)).toBe(bytes);
  });

  it.each(['', 'MiB', '1 M', '1Gi', '-1MiB', '1e9', '2PiB', 1.5, -1, '1KiBs'])('refuses %j', (input) => {
    expect(byteQuantity.safeParse(input).success).toBe(false);
  });

  it.prop([fc.integer({ min: 0, max: 2 ** 50 })])('whole numbers of bytes stay what they are', (bytes) => {
    expect(byteQuantity.parse(bytes)).toBe(bytes);
    expect(byteQuantity.parse(String(bytes))).toBe(bytes);
  });
});

describe('durations', () => {
  it.each([
    ['250ms', 250],
    ['5s', 5000],
    ['1.5m', 90_000],
    ['1h', 3_600_000],
    ['1 d', 86_400_000],
    [750, 750],
    [0, 0],
  ])('%j is %d ms', (input, milliseconds) => {
    expect(durationQuantity.parse(input)).toBe(milliseconds);
  });

  it.each(['', '5', '5 weeks', '-5s', '366d', '1e3s', -1, 0.5])('refuses %j', (input) => {
    expect(durationQuantity.safeParse(input).success).toBe(false);
  });
});
