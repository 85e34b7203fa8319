const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

const DURATION_UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

/** So many whole ones say more to a reader than tenths of the next larger unit. */
const MOST_WHOLE = 120;

/** Comparisons travel with bids, so a text in them has an end. */
const LONGEST_TEXT = 96;

export function clippedText(text: string): string {
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT - 1)}…`;
}

type Rounding = (value: number) => number;

function tenths(value: number, round: Rounding): number {
  return round(value * 10) / 10;
}

function bytesText(bytes: number, round: Rounding): string {
  let value = bytes;
  let unit = 0;
  while (unit < BYTE_UNITS.length - 1 && tenths(value, round) >= 1024) {
    value /= 1024;
    unit += 1;
  }
  return `${tenths(value, round)} ${BYTE_UNITS[unit]}`;
}

/** An amount that is needed, with a unit, rounded up. */
export function bytesAsked(bytes: number): string {
  return bytesText(bytes, Math.ceil);
}

/** An amount that is there, with a unit: rounded, and down where it would hide that it is less than what is `asked`. */
export function bytesThere(bytes: number, asked = 0): string {
  const nearest = bytesText(bytes, Math.round);
  const hidesLack = bytes < asked && nearest === bytesAsked(asked);
  return hidesLack ? bytesText(bytes, Math.floor) : nearest;
}

/** A time with a unit, in whole ones or tenths. */
export function durationText(ms: number): string {
  const rounded = Math.round(ms);
  const whole = DURATION_UNITS.find(
    ([, unitMs]) => rounded % unitMs === 0 && rounded >= unitMs && rounded / unitMs <= MOST_WHOLE,
  );
  const [unit, unitMs] = whole ?? DURATION_UNITS.find(([, one]) => rounded >= one) ?? ['ms', 1];
  return `${tenths(rounded / unitMs, Math.round)} ${unit}`;
}

/** A time that is asked for and the one that is allowed, as texts that differ when they do. */
export function durationTexts(
  askedMs: number,
  allowedMs: number,
): { readonly required: string; readonly available: string } {
  const [required, available] = [durationText(askedMs), durationText(allowedMs)];
  return required === available && askedMs !== allowedMs
    ? { required: `${askedMs} ms`, available: `${allowedMs} ms` }
    : { required, available };
}

/** What {@link durationText} wrote, in milliseconds; undefined for any other text. */
export function durationOf(text: string): number | undefined {
  const [amount = '', unit, ...more] = text.split(' ');
  const unitMs = DURATION_UNITS.find(([name]) => name === unit)?.[1];
  if (unitMs === undefined || more.length > 0 || !/^\d+(\.\d)?$/.test(amount)) return undefined;
  return Number(amount) * unitMs;
}
