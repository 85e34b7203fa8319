import { readUtf8 } from './utf8-reader.ts';

const MAJOR_SHIFT = 5;
const INFO_MASK = 0x1f;
const UINT = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const SIMPLE = 7;
const FALSE = 20;
const TRUE = 21;
const NULL = 22;
const FLOAT64 = 27;
const INFO_UINT8 = 24;
const INFO_UINT16 = 25;
const INFO_UINT32 = 26;
const UINT8_LIMIT = 2 ** 8;
const UINT16_LIMIT = 2 ** 16;
const ASCII_LIMIT = 0x80;
/** Deeper values are for the full check. */
const MOST_NESTED = 32;
/** Keys that mean something to JavaScript or to the encoder. */
const SPECIAL_KEYS: ReadonlySet<string> = new Set(['', '__proto__', '/', 'asCID']);

/** Up to here a loop over the characters is faster than a call into the platform. */
const SHORT_TEXT = 12;
const LONGEST_KNOWN_KEY = 40;
/** Places for keys that were seen; a power of two. */
const KNOWN_KEYS = 1024;
const HASH_FACTOR = 31;

/** Keys repeat from message to message: one that was seen lately is found by its bytes and not made again. */
const knownKeys: (string | undefined)[] = Array.from({ length: KNOWN_KEYS }, () => undefined);

/** What stands where no plain value was found; CBOR has no value that reads as this one. */
const NOTHING = Symbol('nothing');

/** One walk over bytes. */
class Walk {
  readonly #bytes: Uint8Array;
  #buffer: Buffer | undefined;
  #at = 0;

  constructor(bytes: Uint8Array) {
    // The slices of Node.js' own byte class would share memory.
    this.#bytes = Buffer.isBuffer(bytes)
      ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      : bytes;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** The value in plain canonical form that starts here; it has been passed then. */
  value(depth: number): unknown {
    const first = this.#bytes[this.#at];
    if (first === undefined || depth > MOST_NESTED) return NOTHING;
    const major = first >> MAJOR_SHIFT;
    if (major === SIMPLE) return this.#simple(first & INFO_MASK);
    const argument = this.#argument();
    if (argument === undefined) return NOTHING;
    switch (major) {
      case UINT:
        return argument;
      case NEGATIVE:
        return -1 - argument;
      case BYTES:
        return this.#raw(argument);
      case TEXT:
        return this.#text(argument);
      case ARRAY:
        return this.#items(argument, depth + 1);
      case MAP:
        return this.#entries(argument, depth + 1);
      default:
        return NOTHING;
    }
  }

  /** The number in a head, in its shortest form and a safe one. */
  #argument(): number | undefined {
    const info = (this.#bytes[this.#at] ?? 0) & INFO_MASK;
    this.#at += 1;
    if (info < INFO_UINT8) return info;
    const left = this.#bytes.length - this.#at;
    if (info === INFO_UINT8 && left >= 1) return this.#atLeast(INFO_UINT8, this.#bytes[this.#at] ?? 0, 1);
    if (info === INFO_UINT16 && left >= 2) return this.#atLeast(UINT8_LIMIT, this.#uint(2), 2);
    if (info === INFO_UINT32 && left >= 4) return this.#atLeast(UINT16_LIMIT, this.#uint(4), 4);
    if (info === FLOAT64 && left >= 8) return this.#uint64();
    return undefined;
  }

  /** Up to 2^53 without loss. */
  #uint(width: number): number {
    let value = 0;
    for (let at = this.#at; at < this.#at + width; at += 1) value = value * 256 + (this.#bytes[at] ?? 0);
    return value;
  }

  /** The same memory as what Node.js can read text and floats from. */
  #whole(): Buffer {
    const { buffer, byteOffset, byteLength } = this.#bytes;
    this.#buffer ??= Buffer.from(buffer, byteOffset, byteLength);
    return this.#buffer;
  }

  #atLeast(least: number, value: number, width: number): number | undefined {
    this.#at += width;
    return value >= least ? value : undefined;
  }

  #uint64(): number | undefined {
    const high = this.#uint(4);
    const value = this.#uint(8);
    this.#at += 8;
    // A negative number is one less than its argument says, and has to be a safe one too.
    return high > 0 && value < Number.MAX_SAFE_INTEGER ? value : undefined;
  }

  /** False, true, null, and a float64 that no integer stands for. */
  #simple(info: number): unknown {
    this.#at += 1;
    if (info === FALSE || info === TRUE) return info === TRUE;
    if (info === NULL) return null;
    if (info !== FLOAT64 || this.#bytes.length - this.#at < 8) return NOTHING;
    const value = this.#whole().readDoubleBE(this.#at);
    this.#at += 8;
    return Number.isFinite(value) && !Number.isInteger(value) ? value : NOTHING;
  }

  /** A copy: what is read does not keep alive, or change with, what it was read from. */
  #raw(length: number): unknown {
    const start = this.#at;
    this.#at += length;
    return this.#at <= this.#bytes.length ? this.#bytes.slice(start, this.#at) : NOTHING;
  }

  /** UTF-8 without faults reads as itself and is written as itself; other bytes are no text of a canonical value. */
  #text(length: number): unknown {
    const start = this.#at;
    const ascii = this.#ascii(length);
    if (ascii !== undefined) return ascii;
    const end = start + length;
    return end > this.#bytes.length ? NOTHING : (readUtf8(this.#whole(), start, end) ?? NOTHING);
  }

  #ascii(length: number): string | undefined {
    const start = this.#at;
    const end = start + length;
    if (end > this.#bytes.length) return undefined;
    this.#at = end;
    if (length <= SHORT_TEXT) {
      let text = '';
      for (let at = start; at < end; at += 1) {
        const byte = this.#bytes[at] ?? ASCII_LIMIT;
        if (byte >= ASCII_LIMIT) return undefined;
        text += String.fromCharCode(byte);
      }
      return text;
    }
    for (let at = start; at < end; at += 1)
      if ((this.#bytes[at] ?? ASCII_LIMIT) >= ASCII_LIMIT) return undefined;
    return this.#whole().toString('latin1', start, end);
  }

  #items(count: number, depth: number): unknown {
    const items: unknown[] = [];
    for (let index = 0; index < count; index += 1) {
      const item = this.value(depth);
      if (item === NOTHING) return NOTHING;
      items.push(item);
    }
    return items;
  }

  /** Keys are text, each longer than the one before or behind it by its bytes. */
  #entries(count: number, depth: number): unknown {
    const entries: Record<string, unknown> = {};
    let earlier = '';
    for (let index = 0; index < count; index += 1) {
      const isText = (this.#bytes[this.#at] ?? 0) >> MAJOR_SHIFT === TEXT;
      const length = isText ? this.#argument() : undefined;
      const key = length === undefined ? undefined : this.#key(length);
      if (key === undefined || SPECIAL_KEYS.has(key)) return NOTHING;
      if (key.length < earlier.length || (key.length === earlier.length && key <= earlier)) return NOTHING;
      const value = this.value(depth);
      if (value === NOTHING) return NOTHING;
      entries[key] = value;
      earlier = key;
    }
    return entries;
  }

  #key(length: number): string | undefined {
    const start = this.#at;
    if (length > LONGEST_KNOWN_KEY || start + length > this.#bytes.length) return this.#ascii(length);
    let hash = length;
    for (let at = start; at < start + length; at += 1)
      hash = (Math.imul(hash, HASH_FACTOR) + (this.#bytes[at] ?? 0)) | 0;
    const place = hash & (KNOWN_KEYS - 1);
    const known = knownKeys[place];
    if (known?.length === length && this.#reads(known, start)) {
      this.#at += length;
      return known;
    }
    const key = this.#ascii(length);
    knownKeys[place] = key;
    return key;
  }

  #reads(text: string, at: number): boolean {
    for (let index = 0; index < text.length; index += 1)
      if (this.#bytes[at + index] !== text.charCodeAt(index)) return false;
    return true;
  }
}

/**
 * The value of bytes that are certainly the canonical DAG-CBOR of a plain one: text, bytes, safe integers, floats,
 * booleans, null, lists and maps with keys in ASCII. Undefined says nothing: links and other keys take the full check.
 */
export function readPlain(bytes: Uint8Array): unknown {
  const walk = new Walk(bytes);
  const value = walk.value(0);
  return value === NOTHING || !walk.atEnd ? undefined : value;
}
