import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { refuseValue } from '../../../src/messages/unknown-value.ts';

const schema = z.object({
  word: z.enum(['one', 'two']),
  whole: z.strictObject({ known: z.number().exactOptional() }),
  either: z.union([
    z.object({ per: z.enum(['hour']), amount: z.string() }),
    z.object({ rates: z.record(z.string(), z.string()) }),
  ]),
  kind: z.discriminatedUnion('type', [
    z.object({ type: z.literal('a') }),
    z.object({ type: z.literal('b') }),
  ]),
});
const good = { word: 'one', whole: {}, either: { per: 'hour', amount: '1' }, kind: { type: 'a' } };

function codeOf(over: object): string {
  const value = { ...good, ...over };
  const parsed = schema.safeParse(value);
  if (parsed.success) return 'ok';
  const refused = refuseValue(value, parsed.error);
  return refused.ok ? 'ok' : refused.rejection.code;
}

describe('a value that its schema does not take', () => {
  it.each<[string, object, string]>([
    ['another word', { word: 'three' }, 'UNKNOWN_VALUE'],
    ['a number in the place of a word', { word: 3 }, 'MALFORMED'],
    ['no word', { word: undefined }, 'MALFORMED'],
    ['more than a word', { word: 'w'.repeat(65) }, 'MALFORMED'],
    ['a further key where all have to be known', { whole: { later: 1 } }, 'UNKNOWN_VALUE'],
    ['a known key that is wrong', { whole: { known: 'x' } }, 'MALFORMED'],
    ['both', { whole: { known: 'x', later: 1 } }, 'MALFORMED'],
    ['another word in one of two forms', { either: { per: 'week', amount: '1' } }, 'UNKNOWN_VALUE'],
    ['neither of two forms', { either: { per: 'week', amount: 1 } }, 'MALFORMED'],
    ['a form that is not known', { kind: { type: 'c' } }, 'UNKNOWN_VALUE'],
    ['a form without a name', { kind: {} }, 'MALFORMED'],
    ['one thing unknown and another wrong', { word: 'three', kind: {} }, 'MALFORMED'],
  ])('with %s', (_, over, code) => {
    expect(codeOf(over)).toBe(code);
  });
});
