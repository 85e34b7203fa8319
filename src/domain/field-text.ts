const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** From here on a smaller unit says nothing to a reader. */
const READABLE = 10_000;

/** Comparisons travel with bids, so a text in them has an end. */
const LONGEST_TEXT = 96;

export function clippedText(text: string): string {
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT - 1)}…`;
}

function inUnits(bytes: number, round: (value: number) => number): string {
  let value = bytes;
  let unit = 0;
  while (unit < UNITS.length - 1 && value >= 1024 && (value % 1024 === 0 || value >= READABLE)) {
    value = round(value / 1024);
    unit += 1;
  }
  return `${value}${UNITS[unit]}`;
}

/** An amount that is there, rounded down: never more than there is. */
export function bytesAtMost(bytes: number): string {
  return inUnits(bytes, Math.floor);
}

/** An amount that is needed, rounded up: with {@link bytesAtMost} the text shows a lack wherever there is one. */
export function bytesAtLeast(bytes: number): string {
  return inUnits(bytes, Math.ceil);
}
