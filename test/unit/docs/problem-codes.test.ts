import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { problemCodes } from '../../../src/openapi/problem-codes.ts';

it('specs/http-api.md has each code that a node refuses with, and its status', () => {
  const page = readFileSync('specs/http-api.md', 'utf8');
  const table = page.slice(page.indexOf('| status | codes |'), page.indexOf('429 and 503 carry'));
  const written = [...table.matchAll(/^\| (\d{3}) \| (.*) \|$/gm)].flatMap(([, status, codes = '']) =>
    [...codes.matchAll(/`([A-Z_]+)`/g)].map(([, code]) => [code, Number(status)] as const),
  );
  // Who has left in the middle of its request gets no answer.
  const { REQUEST_ABORTED: _unsent, ...answered } = problemCodes;
  expect(Object.fromEntries(written)).toEqual(
    Object.fromEntries(Object.entries(answered).map(([code, [status]]) => [code, status])),
  );
});
