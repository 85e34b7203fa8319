import { fc, test } from '@fast-check/vitest';
import { CID } from 'multiformats/cid';
import { describe, expect, it } from 'vitest';
import { encodeCanonical } from '../../../src/lib/canonical.ts';
import { isWithinBytes } from '../../../src/lib/canonical-size.ts';

const LINK = CID.parse('bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku');

const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'binary' }),
    fc.maxSafeInteger(),
    fc.nat(300),
    fc.boolean(),
    fc.constantFrom(null, LINK),
    fc.uint8Array(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Number.isInteger(number)),
    fc.array(tie('value')),
    fc.dictionary(
      fc.string().filter((key) => key !== '__proto__'),
      tie('value'),
      { noNullPrototype: true },
    ),
  ),
})).value;

describe('the size of canonical bytes', () => {
  test.prop([value], { numRuns: 500 })('is told to the byte', (any) => {
    const { length } = encodeCanonical(any);
    expect([isWithinBytes(any, length), isWithinBytes(any, length - 1)]).toEqual([true, false]);
  });

  it.each([23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, -24, -25, 2n ** 60n])(
    'of the number %s is that of its shortest form',
    (number) => {
      const { length } = encodeCanonical(number);
      expect([isWithinBytes(number, length), isWithinBytes(number, length - 1)]).toEqual([true, false]);
    },
  );

  it('is not looked for beyond the bound', () => {
    const endless: unknown[] = [];
    endless.push(endless);
    expect(isWithinBytes(endless, 4096)).toBe(false);
  });
});
