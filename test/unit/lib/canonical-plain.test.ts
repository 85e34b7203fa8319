import { createHash } from 'node:crypto';
import * as dagCbor from '@ipld/dag-cbor';
import fc from 'fast-check';
import { CID } from 'multiformats/cid';
import { create as createDigest } from 'multiformats/hashes/digest';
import { describe, expect, it } from 'vitest';
import {
  contentIdOf,
  decodeCanonical,
  encodeCanonical,
  isContentId,
  rawContentIdOf,
  sameBytes,
} from '../../../src/lib/canonical.ts';
import { readPlain } from '../../../src/lib/canonical-reader.ts';
import { writePlain } from '../../../src/lib/canonical-writer.ts';

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

describe('readPlain', () => {
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
        expect(readPlain(bytes) !== undefined || large).toBe(true);
        expect(readPlain(bytes) ?? dagCbor.decode(bytes)).toStrictEqual(dagCbor.decode(bytes));
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
        const value = readPlain(bytes);
        expect(value === undefined || isCanonical(bytes)).toBe(true);
        expect(value).toStrictEqual(value === undefined ? undefined : dagCbor.decode(bytes));
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
    expect(readPlain(hex(text))).toBeUndefined();
    expect(isCanonical(hex(text))).toBe(false);
    expect(() => decodeCanonical(hex(text))).toThrow(expect.objectContaining({ code: 'NOT_CANONICAL' }));
  });

  it.each([
    ['a key beyond ASCII', { é: 1 }],
    ['a key that JavaScript takes for something else', JSON.parse('{"__proto__":1}')],
    ['a key that stands for a link', { '/': 'a' }],
    ['a number beyond the safe ones', 2n ** 60n],
  ])('leaves %s to the full check', (_, value) => {
    const bytes = encodeCanonical(value);
    expect(readPlain(bytes)).toBeUndefined();
    expect(decodeCanonical(bytes)).toEqual(value);
  });

  it.each(['é', `${'x'.repeat(100)}é`, '\u{1f308}', '\ufeffbegins with a mark'])(
    'reads text of any script: %s',
    (text) => {
      expect(readPlain(encodeCanonical({ text }))).toEqual({ text });
    },
  );

  it.each([
    ['half a character', [0x63, 0xed, 0xa0, 0x80]],
    ['a byte that begins none', [0x61, 0xff]],
    ['one that is cut', [0x62, 0xe2, 0x82]],
    ['a long form of a short one', [0x62, 0xc0, 0x80]],
  ])('takes no bytes for text that are %s', (_, bytes) => {
    expect(readPlain(Uint8Array.from(bytes))).toBeUndefined();
    expect(() => decodeCanonical(Uint8Array.from(bytes))).toThrow(/canonical|DAG-CBOR/);
  });

  it('shares no memory with what it reads', () => {
    const message = Buffer.from(encodeCanonical({ key: Uint8Array.of(1, 2) }));
    const value = readPlain(message);
    message.fill(0);
    expect(value).toStrictEqual({ key: Uint8Array.of(1, 2) });
  });

  it('leaves deep values to the full check', () => {
    const deep = new Uint8Array(64).fill(0x81);
    deep[63] = 0;
    expect(readPlain(deep)).toBeUndefined();
    expect(decodeCanonical(deep)).toBeDefined();
  });
});

describe('writePlain', () => {
  const NOTHING = new Uint8Array();

  it('writes plain values as the full encoder does, behind the prefix', () => {
    fc.assert(
      fc.property(plain, fc.uint8Array({ maxLength: 4 }), (value, prefix) => {
        const full = new Uint8Array([...prefix, ...dagCbor.encode(value)]);
        expect(writePlain(value, prefix) ?? full).toStrictEqual(full);
        expect(encodeCanonical(value, prefix)).toStrictEqual(full);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['the numbers at which a head grows', [0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32]],
    ['the same below zero', [-1, -24, -25, -256, -257, -65_536, -65_537, -(2 ** 32), -(2 ** 32) - 1]],
    ['the outermost safe numbers', [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]],
    ['a zero with a sign', -0],
    ['fractions', [0.1, -1.5, Number.MIN_VALUE, 5e-324]],
    ['long text', 'x'.repeat(100_000)],
    ['long bytes', new Uint8Array(2_000_000).fill(7)],
    ['the bytes that Node.js has', Buffer.from('abc')],
    [
      'many keys',
      Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`k${(index * 37) % 100}`, index])),
    ],
    ['keys that look like numbers', { 10: 1, 9: 2, a: 3 }],
    ['a map without a prototype', Object.assign(Object.create(null), { b: 1, a: 2 })],
    ['a key that JavaScript takes for something else', JSON.parse('{"__proto__":1,"a":2}')],
    ['an empty key', { '': 1 }],
    ['an empty list and an empty map', [[], {}]],
  ])('writes %s', (_, value) => {
    expect(writePlain(value, NOTHING)).toStrictEqual(new Uint8Array(dagCbor.encode(value)));
  });

  it.each([
    ['undefined', undefined],
    ['a field that is undefined', { a: undefined }],
    ['a hole in a list', Array.from({ length: 2 })],
    ['NaN', [Number.NaN]],
    ['infinity', Number.POSITIVE_INFINITY],
    ['a number beyond the safe ones', 2 ** 60],
    ['a big number', 1n],
    ['a date', new Date(0)],
    [
      'an instance of a class',
      new (class Thing {
        a = 1;
      })(),
    ],
    ['other arrays of numbers', new Uint16Array(2)],
    ['text beyond ASCII', 'é'],
    ['long text beyond ASCII', `${'x'.repeat(100)}é`],
    ['half a character', '\ud800'],
    ['a key that stands for a link', { '/': 'a' }],
    ['another such key', { asCID: 1 }],
    ['a function', () => 1],
  ])('leaves %s to the full encoder', (_, value) => {
    expect(writePlain(value, NOTHING)).toBeUndefined();
  });

  it('leaves a value that contains itself to the full encoder', () => {
    const own: unknown[] = [];
    own.push(own);
    expect(writePlain(own, NOTHING)).toBeUndefined();
    expect(() => encodeCanonical(own)).toThrow(/circular/i);
  });

  it('gives out bytes that the next value does not change', () => {
    const first = encodeCanonical('first');
    encodeCanonical('other');
    expect(decodeCanonical(first)).toBe('first');
  });
});

describe('decodeCanonical', () => {
  const nested = (levels: number): unknown => (levels === 0 ? 0 : [{ a: nested(levels - 2) }]);

  it('takes so many levels and no more', () => {
    expect(decodeCanonical(encodeCanonical(nested(128)))).toEqual(nested(128));
    expect(() => decodeCanonical(encodeCanonical([nested(128)]))).toThrow(/not in canonical/);
    expect(() => decodeCanonical(encodeCanonical(nested(1000)))).toThrow(/not in canonical/);
  });

  it('takes a link as one value', () => {
    const link = CID.parse(contentIdOf(encodeCanonical('something')));
    const deep = Array.from({ length: 128 }).reduce<unknown>((inner) => [inner], link);
    expect(decodeCanonical(encodeCanonical(deep))).toEqual(deep);
  });
});

describe('contentIdOf', () => {
  it('is what the full library makes of the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
        const digest = createDigest(0x12, new Uint8Array(createHash('sha256').update(bytes).digest()));
        expect(contentIdOf(bytes)).toBe(CID.createV1(0x71, digest).toString());
        expect(rawContentIdOf(bytes)).toBe(CID.createV1(0x55, digest).toString());
      }),
    );
  });
});

describe('isContentId', () => {
  it('takes a usual id only where the full check does', () => {
    const id = contentIdOf(encodeCanonical('something'));
    const letters = 'abcdefghijklmnopqrstuvwxyz234567'.split('');
    for (let at = 1; at < id.length; at += 1) {
      for (const letter of letters) {
        const changed = id.slice(0, at) + letter + id.slice(at + 1);
        expect([changed, isContentId(changed)]).toEqual([changed, isReadable(changed)]);
      }
    }
  });
});

function isReadable(text: string): boolean {
  try {
    return CID.parse(text).version === 1;
  } catch {
    return false;
  }
}
