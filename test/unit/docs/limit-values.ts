import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import type { Table } from './markdown.ts';

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  PiB: 2 ** 50,
};
const TIMES = ['ms', 's', 'min', 'h', 'd'];
const SIZES = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Limits by name, `part.name` where they are nested. */
export type LimitValues = Readonly<Record<string, number>>;

/** Every number of an options object; text, lists and switches are no limits. */
export function numbersIn(options: object, prefix = ''): LimitValues {
  const found: Record<string, number> = {};
  for (const [key, value] of Object.entries(options)) {
    const name = `${prefix}${key}`;
    if (typeof value === 'number') found[name] = value;
    else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      Object.assign(found, numbersIn(value, `${name}.`));
    }
  }
  return found;
}

/** `1 MiB + 64 KiB`, `5 s` or `65 536` as a number. Throws where the unit does not go with the name. */
export function parseValue(name: string, text: string): number {
  const parts = text.split('+').map((part) => {
    const match = /^(\d[\d ]*)(?: ?([A-Za-z]+))?$/.exec(part.trim());
    if (match === null) throw new RangeError(`${name}: "${text}" is no value`);
    const [, digits = '', unit] = match;
    const wanted = unitsFor(name);
    if (unit === undefined ? wanted.length > 0 : !wanted.includes(unit)) {
      throw new RangeError(
        `${name}: "${text}" should have ${wanted.length > 0 ? `one of ${wanted.join(', ')}` : 'no unit'}`,
      );
    }
    return Number(digits.replaceAll(' ', '')) * (unit === undefined ? 1 : (UNITS[unit] ?? Number.NaN));
  });
  return parts.reduce((sum, part) => sum + part, 0);
}

function unitsFor(name: string): readonly string[] {
  if (/(Ms|_MS)$/.test(name)) return TIMES;
  return /(Bytes|_BYTES)$/.test(name) ? SIZES : [];
}

function nameIn(cell: string): string | undefined {
  return /^`([^`]+)`$/.exec(cell)?.[1];
}

/** The limits a table states: one to a row, or, where its other columns are names too, one to a cell. */
export function statedIn(table: Table): LimitValues {
  const [first = '', ...columns] = table.header;
  const prefix = nameIn(first);
  const entries = table.rows.flatMap(([cell = '', ...values]) => {
    const name = nameIn(cell);
    if (name === undefined) throw new RangeError(`"${cell}" is no name of a limit`);
    if (prefix === undefined)
      return [[name, parseValue(name, values[columns.indexOf('value')] ?? '')] as const];
    return columns.map((column, index) => {
      const full = `${prefix}.${name}.${nameIn(column) ?? column}`;
      return [full, parseValue(full, values[index] ?? '')] as const;
    });
  });
  return Object.fromEntries(entries);
}

/** A limit that is a constant of a file: where it is said to be, and its value. */
export interface StatedConstant {
  readonly name: string;
  readonly path: string;
  readonly value: number;
}

export function constantsIn(table: Table, pagePath: string): readonly StatedConstant[] {
  return table.rows.map(([cell = '', where = '', value = '']) => {
    const name = nameIn(cell);
    const target = /\]\(([^)]+)\)/.exec(where)?.[1];
    if (name === undefined || target === undefined) throw new RangeError(`"${cell}" has no name or no file`);
    // `HEAP_MEBIBYTES` and the like count in their own unit.
    const unitName = name.endsWith('_MEBIBYTES') ? 'count' : name;
    return {
      name,
      path: posix.normalize(posix.join(posix.dirname(pagePath), target)),
      value: parseValue(unitName, value),
    };
  });
}

/** The value of `NAME`, or of `NAME.key`, as its file defines it: a number, or sums and products of numbers. */
export function constantOf(path: string, name: string): number {
  const source = readFileSync(path, 'utf8');
  const [constant = '', key] = name.split('.');
  const found =
    key === undefined
      ? new RegExp(`const ${constant}(?:: [^=]+)? = ([^;]+);`).exec(source)?.[1]
      : new RegExp(`const ${constant}(?:: [^=]+)? = \\{[^}]*?\\b${key}: ([^,\\n]+),`).exec(source)?.[1];
  if (found === undefined) throw new RangeError(`${path} defines no ${name}`);
  return evaluate(found);
}

function evaluate(expression: string): number {
  return expression
    .split('+')
    .map((sum) =>
      sum
        .split(/(?<!\*)\*(?!\*)/)
        .map(power)
        .reduce((product, factor) => product * factor, 1),
    )
    .reduce((total, sum) => total + sum, 0);
}

function power(text: string): number {
  const [base = Number.NaN, exponent = 1] = text
    .split('**')
    .map((part) => Number(part.trim().replaceAll('_', '')));
  return base ** exponent;
}
