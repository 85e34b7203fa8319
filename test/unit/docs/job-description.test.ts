import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { constraintOperators } from '../../../src/domain/matching/constraint.ts';
import { jobDescription } from '../../../src/domain/job/job-description.ts';
import { rankerNames } from '../../../src/domain/ranking/index.ts';
import { codeBlocks, sectionOf, tablesOf } from './markdown.ts';

const page = readFileSync('specs/job-description.md', 'utf8');
const examples: readonly unknown[] = codeBlocks(page, 'yaml').map((text) => parse(text));

const node = z.looseObject({
  properties: z.record(z.string(), z.unknown()).optional(),
  items: z.unknown().optional(),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
});

/** Every key that a JSON schema names, as a path; lists are `list[]`. */
function keysOf(schema: unknown, path = ''): string[] {
  const { properties = {}, items, anyOf = [], oneOf = [] } = node.parse(schema);
  const below = Object.entries(properties).flatMap(([key, inner]) => {
    const full = path === '' ? key : `${path}.${key}`;
    return [full, ...keysOf(inner, full)];
  });
  const list = items === undefined ? [] : keysOf(items, `${path}[]`);
  return [...below, ...list, ...[...anyOf, ...oneOf].flatMap((one) => keysOf(one, path))];
}

/** Every key that a value has, in the same way. */
function keysIn(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((one) => keysIn(one, `${path}[]`));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const full = path === '' ? key : `${path}.${key}`;
    return [full, ...keysIn(inner, full)];
  });
}

const schema = z.toJSONSchema(jobDescription, { io: 'input', unrepresentable: 'any' });
const keys = [...new Set(keysOf(schema))];
/** What the tables give a row: lists by their items, groups of fields by these. */
const named = tablesOf(page)
  .filter(({ header }) => header[0] === 'field')
  .flatMap(({ rows }) => rows.map(([cell = '']) => cell.replaceAll('`', '').replace(/\[\]$/, '')));
const groups = keys.filter((key) => keys.some((other) => other.startsWith(`${key}.`)));

const reserved = tablesOf(sectionOf(page, 'Not yet')).flatMap(({ rows }) =>
  rows.map(([key = '', value = '']) => [key.replaceAll('`', ''), parse(value.replaceAll('`', ''))] as const),
);

describe('specs/job-description.md', () => {
  it('has every key of the schema in a table, and none that is not there', () => {
    expect(keys.length).toBeGreaterThan(60);
    expect(keys.filter((key) => !named.includes(key) && !groups.includes(key))).toEqual([]);
    expect(named.filter((key) => !keys.includes(key))).toEqual([]);
  });

  it('has every key in an example, but for those of a later version', () => {
    const later = reserved.map(([key]) => key);
    const shown = new Set(examples.flatMap((example) => keysIn(example)));
    expect(keys.filter((key) => !shown.has(key) && !later.includes(key))).toEqual([]);
  });

  it.each(examples)('has examples that are accepted', (example) => {
    expect(jobDescription.safeParse(example).error?.issues).toBeUndefined();
  });

  it('names the values at which keys of a later version are taken', () => {
    const [example] = examples;
    expect(reserved.length).toBeGreaterThan(5);
    const job = Object.assign({}, example, Object.fromEntries(reserved));
    expect(jobDescription.safeParse(job).error?.issues).toBeUndefined();
  });

  it('shows a constraint of every key, with every operator explained', () => {
    const tables = tablesOf(sectionOf(page, 'Constraints'));
    const operators = tables.find(({ header }) => header[0] === 'operator')?.rows.map(([cell]) => cell);
    expect(operators).toEqual(constraintOperators.map((operator) => `\`${operator}\``));
    const rows = tables.find(({ header }) => header[0] === 'key')?.rows ?? [];
    expect(rows).toHaveLength(15);
    for (const row of rows) {
      const hard = [parse(row.at(-1)?.replaceAll('`', '') ?? '')];
      const [example] = examples;
      const job = Object.assign({}, example, { resources: {}, constraints: { hard } });
      expect(jobDescription.safeParse(job).error?.issues, `${row[0]}`).toBeUndefined();
    }
  });

  it('explains every weight', () => {
    const [weights] = tablesOf(sectionOf(page, 'Preference'));
    expect(weights?.rows.map(([cell]) => cell)).toEqual(rankerNames.map((name) => `\`${name}\``));
  });
});
