import { fc, it } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import {
  bytesAsked,
  bytesThere,
  durationOf,
  durationText,
  durationTexts,
} from '../../../../src/domain/matching/field-text.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

describe('amounts of bytes for people', () => {
  it.each([
    [0, '0 B'],
    [512, '512 B'],
    [256 * MIB, '256 MiB'],
    [24 * GIB, '24 GiB'],
    [7979 * MIB, '7.8 GiB'],
    [1_000_000_000, '953.7 MiB'],
    [2 ** 50, '1 PiB'],
  ])('%d that are there read as %s', (bytes, text) => {
    expect(bytesThere(bytes, 2 ** 50)).toBe(text);
  });

  it('what is asked is rounded up', () => {
    expect(bytesAsked(24 * GIB)).toBe('24 GiB');
    expect(bytesAsked(24 * GIB + 1)).toBe('24.1 GiB');
    expect(bytesAsked(GIB - 1)).toBe('1 GiB');
  });

  it('shows a lack, however small it is', () => {
    expect(bytesThere(8 * GIB - 1, 8 * GIB)).toBe('7.9 GiB');
    expect(bytesThere(8188 * MIB, 8 * GIB)).toBe('7.9 GiB');
    expect(bytesThere(8 * GIB, 8 * GIB)).toBe('8 GiB');
  });

  const amount = fc.oneof(
    fc.integer({ min: 1, max: 2 ** 50 }),
    fc.integer({ min: 1, max: 2000 }).map((mib) => mib * MIB),
  );
  it.prop([amount, fc.integer({ min: 1, max: 4096 })])('never shows as much as is asked', (asked, lack) => {
    fc.pre(lack <= asked);
    expect(bytesThere(asked - lack, asked)).not.toBe(bytesAsked(asked));
  });
});

describe('durations for people', () => {
  it.each([
    [0, '0 ms'],
    [250, '250 ms'],
    [1000, '1 s'],
    [1540, '1.5 s'],
    [90_000, '90 s'],
    [600_000, '10 min'],
    [5_400_000, '90 min'],
    [3_600_000, '1 h'],
    [86_400_000, '1 d'],
    [36 * 3_600_000, '36 h'],
    [3_601_000, '1 h'],
    [7 * 86_400_000, '7 d'],
  ])('%d ms read as %s', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });

  it('differ where the times do', () => {
    expect(durationTexts(172_800_000, 86_400_000)).toEqual({ required: '2 d', available: '1 d' });
    expect(durationTexts(86_400_001, 86_400_000)).toEqual({
      required: '86400001 ms',
      available: '86400000 ms',
    });
  });

  it.each([
    ['10 min', 600_000],
    ['1.5 s', 1500],
    ['10m', undefined],
    ['4 GiB', undefined],
    ['1 d 2', undefined],
    ['x s', undefined],
  ])('%s is read as %s', (text, ms) => {
    expect(durationOf(text)).toBe(ms);
  });
});
