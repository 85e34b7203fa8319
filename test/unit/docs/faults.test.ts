import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { COSTS } from '../../../src/network/allowances/costs.ts';
import { FAULTS, TOLD_BELOW } from '../../../src/network/allowances/faults.ts';
import { sectionOf, tablesOf } from './markdown.ts';

const page = readFileSync('specs/protection.md', 'utf8');
const CODE = /`([A-Z_]+)`/g;

function rowsOf(section: string, firstColumn: string): readonly (readonly string[])[] {
  const table = tablesOf(sectionOf(page, section)).find(({ header }) => header[0] === firstColumn);
  return table?.rows ?? [];
}

const numberIn = (cell = ''): number => Number(/^[\d.]+/.exec(cell)?.[0] ?? 0);

/** `1/4`, or a whole number. */
function weightOf(cell: string): number {
  const [over = '0', under = '1'] = cell.split('/');
  return Number(over) / Number(under);
}

it('specs/protection.md has the price of every fault', () => {
  const stated = rowsOf('Faults', 'code').flatMap(([codes = '', price, weight = '']) =>
    [...codes.matchAll(CODE)]
      .map(([, code = '']) => code)
      .map((code): [string, { workMs: number; weight: number }] => [
        code,
        { workMs: numberIn(price), weight: weightOf(weight) },
      ]),
  );
  expect(new Map(stated)).toEqual(FAULTS);
});

it('specs/protection.md has what every protocol costs', () => {
  const stated = rowsOf('Allowances', 'protocol').map(([name = '', channel, frame, kib, sent]) => [
    name.replace('/2', ''),
    {
      channelMs: numberIn(channel),
      frameMs: numberIn(frame),
      kibMs: numberIn(kib),
      sentKibMs: numberIn(sent),
    },
  ]);
  expect(Object.fromEntries(stated)).toEqual(COSTS);
});

it('every fault that the transport tells of has a price', () => {
  const codes = globSync('src/network/libp2p/*.ts').flatMap((path) => [
    ...readFileSync(path, 'utf8').matchAll(/'((?:FRAME|MUX|STREAM|UNREAD)_[A-Z_]+)'/g),
  ]);
  const told = new Set(codes.map(([, code = '']) => code));
  expect(told.size).toBeGreaterThan(4);
  expect([...told].filter((code) => !FAULTS.has(code))).toEqual([]);
  expect([...told].filter((code) => !TOLD_BELOW.has(code))).toEqual([]);
});
