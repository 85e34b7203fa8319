import Table from 'cli-table3';
import { visibleLine } from './visible-text.ts';

const NO_BORDERS = Object.fromEntries(
  [
    ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'],
  ]
    .flat()
    .map((part) => [part, '']),
);

/**
 * Columns without borders, as wide as what is in them; every row is one line, whatever strangers put into it. Text of
 * more than `widest` characters widens no column: it moves what follows it in its own row.
 */
export function tableOf(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  widest = Number.POSITIVE_INFINITY,
): string {
  const table = new Table({
    head: [...head],
    chars: { ...NO_BORDERS, middle: '  ' },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  const visible = rows.map((row) => row.map(visibleLine));
  table.push(...visible.map((row) => row.map((text) => text.slice(0, widest))));
  const [first = '', ...lines] = table.toString().split('\n');
  return [first, ...lines.map((line, at) => completed(line, visible[at] ?? [], widest))]
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Puts whole texts where a line has the beginnings of them; from left to right, as one may be in another. */
function completed(line: string, row: readonly string[], widest: number): string {
  let done = '';
  let left = line;
  for (const text of row) {
    const beginning = text.slice(0, widest);
    const at = left.indexOf(beginning);
    done += left.slice(0, at) + text;
    left = left.slice(at + beginning.length);
  }
  return done + left;
}
