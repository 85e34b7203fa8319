import { describe, expect, it } from 'vitest';
import { type CalendarEntry, seenNow, wallTimeOf } from '../../../src/lib/calendar.ts';

const HOUR_MS = 3_600_000;
const AT_MOST = 4;

function seen(...looks: readonly (readonly [livedMs: number, wallMs: number])[]): readonly CalendarEntry[] {
  return looks.reduce<readonly CalendarEntry[]>(
    (entries, [livedMs, wallMs]) => seenNow(entries, livedMs, wallMs, AT_MOST),
    [],
  );
}

describe('the calendar', () => {
  it('shows lived time as it is where nothing was seen', () => {
    expect(wallTimeOf([], 5000)).toBe(5000);
  });

  it('shows old records by the clock of their time, and new ones by the one of theirs', () => {
    const entries = seen([10_000, 10_000], [20_000, 20_000 + 24 * HOUR_MS]);
    expect([9000, 15_000, 20_000, 21_000].map((livedMs) => wallTimeOf(entries, livedMs))).toEqual([
      9000,
      15_000,
      20_000 + 24 * HOUR_MS,
      21_000 + 24 * HOUR_MS,
    ]);
  });

  it('takes no note of a clock that is corrected by less than a second', () => {
    const once = seen([10_000, 10_000]);
    expect(seenNow(once, 20_000, 20_900, AT_MOST)).toBe(once);
    expect(seenNow(once, 20_000, 21_100, AT_MOST)).toHaveLength(2);
  });

  it('takes note of a clock that drifts, when that has become much', () => {
    const looks = Array.from({ length: 31 }, (_, index) => [index * 1000, index * 1100] as const);
    expect(seen(...looks)).toHaveLength(3);
  });

  it('keeps the order of what happened over a clock that is put back', () => {
    const entries = seen([10_000, 10_000], [20_000, 20_000 + HOUR_MS], [30_000, 30_000]);
    const shown = [9000, 15_000, 20_000, 25_000, 30_000, 31_000].map((at) => wallTimeOf(entries, at));
    expect(shown).toEqual([9000, 15_000, 30_000, 30_000, 30_000, 31_000]);
  });

  it('keeps the order over any jumps', () => {
    const offsets = [0, 5, -3, 8, -20, 30, 2].map((hours) => hours * HOUR_MS);
    let entries: readonly CalendarEntry[] = [];
    for (const [index, offset] of offsets.entries()) {
      entries = seenNow(entries, index * 1000, index * 1000 + offset, 64);
    }
    const shown = Array.from({ length: 80 }, (_, index) => wallTimeOf(entries, index * 100));
    expect(shown).toEqual(shown.toSorted((a, b) => a - b));
  });

  it('keeps the newest of many entries, and shows what was before by the oldest of them', () => {
    const entries = seen(
      ...Array.from({ length: 10 }, (_, index) => [index * 1000, index * HOUR_MS] as const),
    );
    expect(entries).toHaveLength(AT_MOST);
    expect(wallTimeOf(entries, 0)).toBe(6 * HOUR_MS - 6000);
  });

  it('has one entry for a moment', () => {
    expect(seen([1000, 1000], [1000, 1000 + HOUR_MS])).toEqual([{ livedMs: 1000, offsetMs: HOUR_MS }]);
  });
});
