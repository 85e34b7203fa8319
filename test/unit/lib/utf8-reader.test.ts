import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { readUtf8 } from '../../../src/lib/utf8-reader.ts';

/** What the platform makes of bytes; undefined where it takes offence. */
function reference(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

const scraps = fc.constantFrom(
  0x00,
  0x41,
  0x7f,
  0x80,
  0xbf,
  0xc0,
  0xc1,
  0xc2,
  0xdf,
  0xe0,
  0xe2,
  0x82,
  0xac,
  0xed,
  0xa0,
  0x9f,
  0xef,
  0xbb,
  0xf0,
  0x90,
  0xf4,
  0x8f,
  0xf5,
  0xf8,
  0xff,
);

describe('readUtf8', () => {
  test.prop([fc.string({ unit: 'binary', maxLength: 40 }), fc.nat(4)], { numRuns: 1000 })(
    'reads any text, wherever it stands',
    (text, before) => {
      const bytes = Buffer.concat([Buffer.alloc(before, 0xff), Buffer.from(text), Buffer.alloc(3, 0x80)]);
      expect(readUtf8(bytes, before, before + Buffer.byteLength(text))).toBe(text);
    },
  );

  test.prop([fc.array(scraps, { maxLength: 6 })], { numRuns: 5000 })(
    'takes what the platform takes and nothing else',
    (scrap) => {
      const bytes = Buffer.from(scrap);
      expect(readUtf8(bytes, 0, bytes.length)).toBe(reference(bytes));
    },
  );
});
