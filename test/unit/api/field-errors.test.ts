import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readFileSync } from 'node:fs';
import { fieldErrorsOf } from '../../../src/api/field-errors.ts';
import { fieldReport } from '../../../src/domain/explain/field-words.ts';
import { jobDescription } from '../../../src/domain/job/job-description.ts';
import { codeBlocks } from '../docs/markdown.ts';

type Path = readonly (string | number)[];

const examples: readonly unknown[] = codeBlocks(readFileSync('specs/job-description.md', 'utf8'), 'yaml').map(
  (text) => parse(text),
);

/** Every place of a value, lists and groups themselves included. */
function placesOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const entries: [string | number, unknown][] = Array.isArray(value)
    ? value.map((inner: unknown, index) => [index, inner])
    : Object.entries(value);
  return [path, ...entries.flatMap(([key, inner]) => placesOf(inner, [...path, key]))];
}

function replaced(value: unknown, [key, ...rest]: Path, by: unknown): unknown {
  if (key === undefined) return by;
  if (Array.isArray(value)) {
    return value.map((inner: unknown, index) => (index === key ? replaced(inner, rest, by) : inner));
  }
  const entries = Object.entries(Object(value));
  return Object.fromEntries(
    entries.map(([name, inner]) => [name, name === key ? replaced(inner, rest, by) : inner]),
  );
}

function errorsOf(job: unknown): { path: string; code: string; message: string }[] {
  const { error } = jobDescription.safeParse(job, fieldReport);
  return error === undefined ? [] : fieldErrorsOf(error);
}

const cases = examples.flatMap((example) => placesOf(example).map((path) => ({ example, path })));

describe('the errors of a job description', () => {
  it.each([[null], [true], [[]], [{}], [7], ['?']])('say what each field takes where it is %j', (wrong) => {
    expect(cases.length).toBeGreaterThan(100);
    const errors = cases.flatMap(({ example, path }) => errorsOf(replaced(example, path, wrong)));
    expect(errors.length).toBeGreaterThan(50);
    expect(errors.filter(({ message }) => /^Invalid( input)?$/.test(message))).toEqual([]);
  });

  it.each<[Record<string, unknown>, string, string]>([
    [{ resources: { cpu: null } }, 'resources.cpu', 'expected cores such as 2, 0.5 or 500m'],
    [
      { resources: { memory: null } },
      'resources.memory',
      'expected a size such as 256MiB, 1GB or a number of bytes',
    ],
    [
      { timeouts: { total: true } },
      'timeouts.total',
      'expected a duration such as 250ms, 5s, 10m or 1h, at most 365d',
    ],
    [{ prefer: 7 }, 'prefer', 'expected price, speed or balanced, or a map of weights such as { price: 2 }'],
    [
      { engine: { type: 'wasm', params: { module: null } } },
      'engine.params.module',
      'expected { cid } or { base64 }, or a path with the command line tool',
    ],
    [
      { engine: { type: 'python', params: { script: [] } } },
      'engine.params.script',
      'expected { cid } or { text }, or a path with the command line tool',
    ],
    [
      { inputs: [{ target: '/in', source: null }] },
      'inputs.0.source',
      'expected { cid }, { text } or { base64 }, or a path with the command line tool',
    ],
  ])('explain %j', (changes, path, message) => {
    const engine = { type: 'python', params: { script: { text: 'print(1)' } } };
    expect(errorsOf({ engine, ...changes })).toEqual([{ path, code: 'invalid_union', message }]);
  });

  it.each<[Record<string, unknown>, string, string]>([
    [{ name: 7 }, 'name', 'expected text: put it in quotes'],
    [{ labels: { a: true } }, 'labels.a', 'expected text: put it in quotes'],
    [{ name: null }, 'name', 'expected text'],
    [{ count: '3' }, 'count', 'expected a number, without quotes'],
    [{ count: 1.5 }, 'count', 'expected a whole number'],
    [{ count: 0 }, 'count', 'expected at least 1'],
    [{ count: 1001 }, 'count', 'expected at most 1000'],
    [{ priority: [] }, 'priority', 'expected a number'],
    [{ inputs: {} }, 'inputs', 'expected a list'],
    [{ labels: [] }, 'labels', 'expected keys and values'],
    [{ resources: 7 }, 'resources', 'expected keys and values'],
    [{ orchestrationType: 'shove' }, 'orchestrationType', 'expected pull or push'],
    [{ retry: { on: ['never'] } }, 'retry.on.0', expect.stringMatching(/^expected lost, internal, .* or /)],
    [{ resources: { gpus: Array(9).fill({}) } }, 'resources.gpus', 'expected at most 8 entries'],
    [{ resources: { gpus: [{ model: '' }] } }, 'resources.gpus.0.model', 'expected at least 1 character'],
    [{ budget: {} }, 'budget.maxPrice', 'is required'],
    [
      { budget: { maxPrice: 0.1 } },
      'budget.maxPrice',
      expect.stringMatching(/^expected a decimal amount in quotes/),
    ],
    [{ engine: { type: 'cobol' } }, 'engine.type', 'expected wasm or python'],
    [{ engine: undefined }, 'engine', 'is required'],
  ])('say once and in plain words what %j should have been', (changes, path, message) => {
    const engine = { type: 'python', params: { script: { text: 'print(1)' } } };
    expect(errorsOf({ engine, ...changes })).toMatchObject([{ path, message }]);
  });

  it('say that a field that takes one thing or another is missing', () => {
    const missing = (path: string) => ({ path, code: 'missing', message: 'is required' });
    expect(errorsOf({ engine: { type: 'wasm', params: {} }, inputs: [{ target: '/in' }] })).toEqual([
      missing('engine.params.module'),
      missing('inputs.0.source'),
    ]);
  });
});
