import { LONGEST_KEY, MOST_LEVELS } from './bounds.ts';
import { DocumentParts, type ReadDocument } from './document.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const FIRST_PRINTABLE = 0x20;
const ESCAPES = '"\\/bfnrtu';
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const INTEGER = /^-?\d+$/;
const HEX = /^[\da-fA-F]{4}$/;
const LONGEST_NUMBER = 64;
const WORDS = [
  ['true', true],
  ['false', false],
  ['null', null],
] as const;

/**
 * JSON (RFC 8259), strictly: the first fault ends it, a key stands once, text is whole characters, numbers are kept as
 * they are written, and depth and number of values are bounded while it reads. `JSON.parse` has none of this and takes
 * a second for four megabytes of brackets.
 */
export function readJson(text: string): ReadDocument {
  return new JsonReader(text).read();
}

class JsonReader {
  readonly #text: string;
  readonly #parts: DocumentParts;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#parts = new DocumentParts(text);
  }

  read(): ReadDocument {
    this.#skipSpace();
    const start = this.#at;
    const value = this.#value(0);
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#parts.fault('text-behind', this.#at);
    return this.#parts.document(value, start);
  }

  #value(depth: number): unknown {
    this.#parts.count(this.#at);
    if (depth > MOST_LEVELS) throw this.#parts.fault('too-deep', this.#at);
    const mark = this.#text[this.#at];
    if (mark === '{') return this.#map(depth);
    if (mark === '[') return this.#list(depth);
    return mark === '"' ? this.#string() : this.#scalar();
  }

  #map(depth: number): unknown {
    const map = {};
    if (this.#opens('}')) return map;
    do {
      this.#skipSpace();
      const start = this.#at;
      if (this.#text[start] !== '"') throw this.#parts.fault('key-expected', start);
      const key = this.#string();
      if (key.length > LONGEST_KEY) throw this.#parts.fault('long-key', start);
      if (Object.hasOwn(map, key)) throw this.#parts.fault('repeated-key', start, { quote: key });
      this.#skipSpace();
      if (this.#text[this.#at] !== ':') throw this.#parts.fault('colon-expected', this.#at);
      this.#at += 1;
      this.#skipSpace();
      this.#parts.set(map, key, this.#value(depth + 1), start);
    } while (this.#goesOn('}'));
    return map;
  }

  #list(depth: number): unknown {
    const list: unknown[] = [];
    if (this.#opens(']')) return list;
    do {
      this.#skipSpace();
      const start = this.#at;
      this.#parts.set(list, String(list.length), this.#value(depth + 1), start);
    } while (this.#goesOn(']'));
    return list;
  }

  /** Steps over the opening bracket; true where the closing one follows. */
  #opens(close: string): boolean {
    this.#at += 1;
    this.#skipSpace();
    if (this.#text[this.#at] !== close) return false;
    this.#at += 1;
    return true;
  }

  #goesOn(close: string): boolean {
    this.#skipSpace();
    const mark = this.#text[this.#at];
    if (mark !== ',' && mark !== close) throw this.#parts.fault('separator-expected', this.#at);
    this.#at += 1;
    return mark === ',';
  }

  #string(): string {
    const start = this.#at;
    const text = this.#text;
    let escapes = false;
    let at = start + 1;
    for (let code = text.charCodeAt(at); code !== QUOTE; code = text.charCodeAt(at)) {
      // Behind the end of the text there is no number.
      if (!(code >= FIRST_PRINTABLE)) {
        if (at >= text.length) throw this.#parts.fault('string-open', start);
        throw this.#parts.fault('control-character', at);
      }
      if (code === BACKSLASH) {
        escapes = true;
        this.#checkEscape(at);
        at += 1;
      }
      at += 1;
    }
    this.#at = at + 1;
    if (!escapes) return text.slice(start + 1, at);
    const value = String(JSON.parse(text.slice(start, this.#at)));
    // Text from bytes has whole characters, so only an escape can be half of one.
    if (!value.isWellFormed()) throw this.#parts.fault('half-character', start);
    return value;
  }

  #checkEscape(at: number): void {
    const escape = this.#text[at + 1];
    if (escape === undefined || !ESCAPES.includes(escape)) throw this.#parts.fault('bad-escape', at);
    if (escape === 'u' && !HEX.test(this.#text.slice(at + 2, at + 6)))
      throw this.#parts.fault('bad-escape', at);
  }

  #scalar(): unknown {
    const start = this.#at;
    for (const [word, value] of WORDS) {
      if (!this.#text.startsWith(word, start)) continue;
      this.#at += word.length;
      return value;
    }
    while (this.#at - start <= LONGEST_NUMBER && isOfNumber(this.#text.charCodeAt(this.#at))) this.#at += 1;
    const written = this.#text.slice(start, this.#at);
    if (written === '') throw this.#parts.fault('value-expected', start);
    if (!NUMBER.test(written)) throw this.#parts.fault('bad-number', start, { quote: written });
    const value = Number(written);
    if (!Number.isFinite(value) || (INTEGER.test(written) && !Number.isSafeInteger(value))) {
      throw this.#parts.fault('inexact-number', start, { quote: written });
    }
    return value;
  }

  #skipSpace(): void {
    // Fields are slower to reach than variables, which megabytes of blanks would show.
    const text = this.#text;
    let at = this.#at;
    for (let code = text.charCodeAt(at); isBlank(code); code = text.charCodeAt(at)) at += 1;
    this.#at = at;
  }
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/** Digits, signs, the point and both letters of an exponent. */
function isOfNumber(code: number): boolean {
  const isDigit = code >= 0x30 && code <= 0x39;
  return isDigit || code === 0x2b || code === 0x2d || code === 0x2e || code === 0x45 || code === 0x65;
}
