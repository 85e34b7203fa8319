import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DocumentFault } from '../../../src/lib/documents/document-fault.ts';
import { type DocumentFormat, readDocument } from '../../../src/lib/documents/read-document.ts';

function read(text: string | Uint8Array, format: DocumentFormat): unknown {
  return readDocument(typeof text === 'string' ? Buffer.from(text) : text, format).value;
}

function faultOf(text: string | Uint8Array, format: DocumentFormat): DocumentFault {
  try {
    read(text, format);
  } catch (error) {
    if (error instanceof DocumentFault) return error;
    throw error;
  }
  throw new Error('it was taken');
}

const BOTH: readonly DocumentFormat[] = ['json', 'yaml'];

describe('JSON', () => {
  it('is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.json({ depthSize: 'medium' }), (text) => {
        const numbers: unknown[] = [];
        const value: unknown = JSON.parse(text, (_key, inner: unknown) => (numbers.push(inner), inner));
        fc.pre(numbers.every((one) => !Number.isInteger(one) || Number.isSafeInteger(one)));
        expect(read(text, 'json')).toEqual(value);
      }),
    );
  });

  it.each([
    ['', 'value-expected', 1, 1],
    ['{"a": 1,\n "a": 2}', 'repeated-key', 2, 2],
    [String.raw`["caf\udce9.csv"]`, 'half-character', 1, 2],
    [String.raw`{"\ud800": 1}`, 'half-character', 1, 2],
    ['{"a" 1}', 'colon-expected', 1, 6],
    ['{a: 1}', 'key-expected', 1, 2],
    ['{"a": 1,}', 'key-expected', 1, 9],
    ['[1 2]', 'separator-expected', 1, 4],
    ['[1', 'separator-expected', 1, 3],
    ['"a', 'string-open', 1, 1],
    ['"a\nb"', 'control-character', 1, 3],
    [String.raw`"\q"`, 'bad-escape', 1, 2],
    [String.raw`"\u12g4"`, 'bad-escape', 1, 2],
    ['[01]', 'bad-number', 1, 2],
    ['[1.]', 'bad-number', 1, 2],
    ['[NaN]', 'value-expected', 1, 2],
    ['[1e999]', 'inexact-number', 1, 2],
    ['[9007199254740993]', 'inexact-number', 1, 2],
    ['// a\n1', 'value-expected', 1, 1],
    ['1 1', 'text-behind', 1, 3],
    ['['.repeat(100), 'too-deep', 1, 66],
  ])('%j is refused where it is wrong', (text, kind, line, column) => {
    expect(faultOf(text, 'json')).toMatchObject({ kind, place: { line, column } });
  });

  it('takes both halves of one character, and a key that JavaScript has a meaning for', () => {
    expect(read(String.raw`"\ud83d\ude00"`, 'json')).toBe('😀');
    const value = read('{"__proto__": {"a": 1}}', 'json');
    expect(Object.keys(value as object)).toEqual(['__proto__']);
  });
});

describe('YAML', () => {
  it.each([
    ['alias-undefined.yaml', 'name: *nope\n', 'no-anchor', 1],
    ['merge.yaml', 'env: &e { A: "1" }\nlabels:\n  <<: *e\n  team: x\n', 'merge-key', 3],
    ['an alias inside its anchor', 'a: &a [*a]\n', 'no-anchor', 1],
    ['a key twice', 'a: 1\nb:\n  c: 1\n  c: 2\n', 'repeated-key', 4],
    ['half a character', 'a: 1\nb: "caf\\udce9"\n', 'half-character', 2],
    ['half a character as a key', '"\\ud800": 1\n', 'half-character', 1],
    ['no number', 'a: 1\nb: .nan\n', 'not-finite', 2],
    ['no number either', 'a: [-.inf]\n', 'not-finite', 1],
    ['a number that cannot be kept', 'a: 9007199254740993\n', 'inexact-number', 1],
    ['two documents', 'a: 1\n---\nb: 1\n', 'two-documents', 2],
    ['a tag', 'a: !!binary aGVsbG8=\n', 'syntax', 1],
    ['a key that is no text', '? [a]\n: 1\n', 'key-not-text', 1],
    ['a bracket that stays open', 'a: {b: 1\n', 'syntax', 2],
    ['many aliases', `a: &a 1\nb: [${'*a, '.repeat(100)}]\n`, 'many-aliases', 2],
  ])('%s is refused with its line', (_what, text, kind, line) => {
    expect(faultOf(text, 'yaml')).toMatchObject({ kind, place: { line } });
  });

  it('is read as people write it', () => {
    const text = 'a: &x [1, 0x10, 1.5, true, null, ~, "q", plain]\nb: *x\n"<<": text\nc:\nd: |\n  x\n  y\n';
    const list = [1, 16, 1.5, true, null, null, 'q', 'plain'];
    expect(read(text, 'yaml')).toEqual({ a: list, b: list, '<<': 'text', c: null, d: 'x\ny\n' });
  });

  it('bounds what aliases repeat', () => {
    const levels = ['a', 'b', 'c', 'd', 'e', 'f'].map((name, index, all) => {
      const inner = index === 0 ? '"x"' : `*${all[index - 1]}`;
      return `${name}: &${name} [${Array.from({ length: 9 }, () => inner).join(',')}]`;
    });
    expect(faultOf(levels.join('\n'), 'yaml').kind).toBe('too-many');
  });

  it.each([
    ['a block of text', (lines: number) => `a: |${'\n  x'.repeat(lines)}`],
    ['lines that are joined', (lines: number) => `a:${'\n x'.repeat(lines)}`],
    ['comments', (lines: number) => `a: 1${'\n#'.repeat(lines)}`],
  ])('has an end to its lines, be they %s', (_name, text) => {
    expect(faultOf(text(150_000), 'yaml')).toMatchObject({ kind: 'too-long', place: { line: 150_001 } });
  });

  it.each([
    ['one text', (size: number) => `a: "${'x'.repeat(size)}"`],
    ['many texts', (size: number) => `${'- "abcdefghij"\n'.repeat(1000)}- "${'x'.repeat(size)}"`],
    ['escapes', (size: number) => `a: "${'\\n'.repeat(size)}"`],
  ])('has an end to what is in double quotes, be it %s', (_name, text) => {
    expect(faultOf(text(1_064_961), 'yaml').kind).toBe('too-long');
    expect(() => read(text(1_048_576), 'yaml')).not.toThrow();
  });

  it('has room for a megabyte of lines', () => {
    const line = 'x'.repeat(9);
    expect(read(`a: |\n${`  ${line}\n`.repeat(100_000)}`, 'yaml')).toEqual({
      a: `${line}\n`.repeat(100_000),
    });
  });
});

describe('bytes', () => {
  const latin = Buffer.concat([Buffer.from('{"ä": 1,\n  "b": "M'), Buffer.of(0xfc), Buffer.from('ller"}')]);

  it.each(BOTH)('that are Latin-1 are refused with line and column (%s)', (format) => {
    const fault = faultOf(latin, format);
    expect(fault).toMatchObject({ kind: 'not-utf-8', place: { line: 2, column: 10 } });
    expect(fault.message).toContain('0xFC');
  });

  it.each(BOTH)('that are UTF-16 are named so (%s)', (format) => {
    const little = Buffer.from('{"a": 1}', 'utf16le');
    for (const bytes of [
      little,
      Buffer.from(little).swap16(),
      Buffer.concat([Buffer.of(0xff, 0xfe), little]),
      Buffer.concat([Buffer.of(0xfe, 0xff), Buffer.from(little).swap16()]),
    ]) {
      expect(faultOf(bytes, format).kind).toBe('utf-16');
    }
  });

  it.each(BOTH)('may begin with the mark of UTF-8 (%s)', (format) => {
    expect(read('\ufeff{"a": 1}', format)).toEqual({ a: 1 });
  });

  it('are looked through to the first one at fault, wherever it stands', () => {
    const good = Buffer.from('"äö😀x"'.repeat(2000));
    fc.assert(
      fc.property(fc.nat({ max: good.length - 1 }), (at) => {
        const bytes = Buffer.from(good);
        bytes[at] = 0xff;
        const before = new TextDecoder().decode(good.subarray(0, at));
        const column = faultOf(bytes, 'json').place?.column ?? 0;
        expect(Math.abs(column - before.length)).toBeLessThan(4);
      }),
    );
  });
});

describe('the place of a value', () => {
  it.each([
    ['json', '{\n "a": {\n  "b.c": [1,\n   2]},\n "d": 1}'],
    ['yaml', '\na:\n  b.c: [1,\n   2]\nd: 1\n'],
  ] as const)('is found by its path in %s', (format, text) => {
    const { placeOf } = readDocument(Buffer.from(text), format);
    expect(placeOf('a')?.line).toBe(2);
    expect(placeOf('a.b.c')?.line).toBe(3);
    expect(placeOf('a.b.c.1')?.line).toBe(4);
    expect(placeOf('d')?.line).toBe(5);
    expect(placeOf('a.nope')?.line).toBe(2);
    expect(placeOf('nope')).toBeUndefined();
  });
});

it('says why, without a word of the text where it may hold secrets', () => {
  const secret = 'top-secret-token';
  for (const text of [`a: ${secret}\na: ${secret}`, `a: *${secret}`, `a: !${secret} x`, `${secret}: {`]) {
    expect(faultOf(text, 'yaml').reason).not.toContain(secret);
  }
});
