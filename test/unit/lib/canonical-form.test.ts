import * as dagCbor from '@ipld/dag-cbor';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCanonical, encodeCanonical, sameBytes } from '../../../src/lib/canonical.ts';
import { isPlainCanonical } from '../../../src/lib/canonical-form.ts';

const ascii = fc.string({ unit: 'binary-ascii', maxLength: 300 });
const plainKey = ascii.filter((key) => key !== '' && !['__proto__', '/', 'asCID'].includes(key));
const { plain } = fc.letrec((tie) => ({
  plain: fc.oneof(
    { depthSize: 'medium' },
    fc.constantFrom(null, true, false),
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 }),
    fc.maxSafeInteger().map((value) => value || 0),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (Object.is(value, -0) ? 0 : value)),
    ascii,
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie('plain'), { maxLength: 30 }),
    fc.dictionary(plainKey, tie('plain'), { maxKeys: 30 }),
  ),
}));

/** What the whole check does: decode strictly and encode again. */
function isCanonical(bytes: Uint8Array): boolean {
  try {
    return sameBytes(dagCbor.encode(dagCbor.decode(bytes)), bytes);
  } catch {
    return false;
  }
}

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

describe('isPlainCanonical', () => {
  it('knows what the encoder makes of plain values', () => {
    const isLarge = (value: unknown): boolean =>
      typeof value === 'number' && Number.isInteger(value) && Math.abs(value) >= Number.MAX_SAFE_INTEGER;
    fc.assert(
      fc.property(plain, (value) => {
        const bytes = encodeCanonical(value);
        // Integers that are not safe are the one plain thing that is left to the full check.
        const large = JSON.stringify(value, (_, inner) => (isLarge(inner) ? 'large' : inner)).includes(
          'large',
        );
        expect(isPlainCanonical(bytes) || large).toBe(true);
        expect(decodeCanonical(bytes)).toEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  it('is never true of bytes that do not encode to themselves', () => {
    const spoilt = fc
      .tuple(
        plain.map(encodeCanonical),
        fc.array(
          fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.constantFrom('set', 'insert', 'drop')),
        ),
      )
      .map(([bytes, changes]) => {
        const spoiled = [...bytes];
        for (const [at, byte, how] of changes) {
          const index = spoiled.length === 0 ? 0 : at % spoiled.length;
          if (how === 'set') spoiled[index] = byte;
          else if (how === 'insert') spoiled.splice(index, 0, byte);
          else spoiled.splice(index, 1);
        }
        return Uint8Array.from(spoiled);
      });
    fc.assert(
      fc.property(fc.oneof(spoilt, fc.uint8Array({ maxLength: 40 })), (bytes) => {
        expect(!isPlainCanonical(bytes) || isCanonical(bytes)).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    ['a number in two bytes that fits into one', '1817'],
    ['a number in three bytes that fits into two', '1900ff'],
    ['a number in five bytes that fits into three', '1a0000ffff'],
    ['a number in nine bytes that fits into five', '1b00000000ffffffff'],
    ['a float that is a whole number', 'fb3ff0000000000000'],
    ['a float of half the length', 'f93e00'],
    ['a float of single precision', 'fa3fc00000'],
    ['NaN', 'fb7ff8000000000000'],
    ['infinity', 'fb7ff0000000000000'],
    ['undefined', 'f7'],
    ['a list without a length', '9f01ff'],
    ['a text without a length', '7f6161ff'],
    ['a map without a length', 'bf616101ff'],
    ['keys in the wrong order', 'a2616201616102'],
    ['a longer key before a shorter one', 'a262616101616202'],
    ['a key that is there twice', 'a2616101616102'],
    ['a key that is no text', 'a10102'],
    ['bytes behind the value', '0101'],
    ['a text that ends early', '6361'],
    ['a list that ends early', '8201'],
    ['nothing', ''],
    ['text that is not UTF-8', '61ff'],
  ])('is false of %s, and so is the full check', (_, text) => {
    expect(isPlainCanonical(hex(text))).toBe(false);
    expect(isCanonical(hex(text))).toBe(false);
    expect(() => decodeCanonical(hex(text))).toThrow(expect.objectContaining({ code: 'NOT_CANONICAL' }));
  });

  it.each([
    ['text beyond ASCII', 'é'],
    ['a key that JavaScript takes for something else', JSON.parse('{"__proto__":1}')],
    ['a key that stands for a link', { '/': 'a' }],
    ['a number beyond the safe ones', 2n ** 60n],
  ])('leaves %s to the full check', (_, value) => {
    const bytes = encodeCanonical(value);
    expect(isPlainCanonical(bytes)).toBe(false);
    expect(decodeCanonical(bytes)).toEqual(value);
  });

  it('leaves deep values to the full check', () => {
    const deep = new Uint8Array(64).fill(0x81);
    deep[63] = 0;
    expect(isPlainCanonical(deep)).toBe(false);
    expect(decodeCanonical(deep)).toBeDefined();
  });
});
