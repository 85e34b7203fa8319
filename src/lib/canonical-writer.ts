const UINT = 0x00;
const NEGATIVE = 0x20;
const BYTES = 0x40;
const TEXT = 0x60;
const ARRAY = 0x80;
const MAP = 0xa0;
const FALSE = 0xf4;
const TRUE = 0xf5;
const NULL = 0xf6;
const FLOAT64 = 0xfb;
const INFO_UINT8 = 24;
const INFO_UINT16 = 25;
const INFO_UINT32 = 26;
const INFO_UINT64 = 27;
const UINT8_LIMIT = 2 ** 8;
const UINT16_LIMIT = 2 ** 16;
const UINT32_LIMIT = 2 ** 32;
const ASCII_LIMIT = 0x80;
/** Longest head of a value: one byte and a 64-bit number. */
const HEAD_BYTES = 9;
/** Deeper values are for the full encoder; so is one that contains itself. */
const MOST_NESTED = 32;
/** Up to here a loop over the characters is faster than a call into the platform. */
const SHORT_TEXT = 24;
const FIRST_BYTES = 16 * 1024;
/** A buffer that had to grow beyond this is not kept. */
const MOST_KEPT_BYTES = 1024 * 1024;
const FEW_KEYS = 32;
/** Keys that mean something to the full encoder. */
const SPECIAL_KEYS: ReadonlySet<string> = new Set(['/', 'asCID']);

/** One buffer that values are written to, one after the other. */
class Writer {
  #bytes = new Uint8Array(FIRST_BYTES);
  #buffer = Buffer.from(this.#bytes.buffer);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  /** The bytes of `value` behind `prefix`, or undefined when it is not plain. */
  write(value: unknown, prefix: Uint8Array): Uint8Array | undefined {
    this.#at = 0;
    this.#raw(prefix);
    const isPlain = this.#value(value, 0);
    const bytes = isPlain ? this.#bytes.slice(0, this.#at) : undefined;
    if (this.#bytes.length > MOST_KEPT_BYTES) this.#replace(new Uint8Array(FIRST_BYTES));
    return bytes;
  }

  #value(value: unknown, depth: number): boolean {
    if (typeof value === 'string') return this.#text(value);
    if (typeof value === 'number') return this.#number(value);
    if (typeof value === 'boolean') return this.#byte(value ? TRUE : FALSE);
    if (value === null) return this.#byte(NULL);
    return typeof value === 'object' && depth <= MOST_NESTED && this.#object(value, depth);
  }

  #object(value: object, depth: number): boolean {
    if (Array.isArray(value)) {
      const items: readonly unknown[] = value;
      this.#head(ARRAY, items.length);
      for (const item of items) if (!this.#value(item, depth + 1)) return false;
      return true;
    }
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null)
      return isFields(value) && this.#map(value, depth);
    if (!(value instanceof Uint8Array)) return false;
    this.#head(BYTES, value.length);
    return this.#raw(value);
  }

  #map(fields: Readonly<Record<string, unknown>>, depth: number): boolean {
    const keys = sortKeys(Object.keys(fields));
    this.#head(MAP, keys.length);
    for (const key of keys) {
      if (SPECIAL_KEYS.has(key) || !this.#text(key) || !this.#value(fields[key], depth + 1)) return false;
    }
    return true;
  }

  #number(value: number): boolean {
    if (Number.isSafeInteger(value)) {
      if (value >= 0) this.#head(UINT, value);
      else this.#head(NEGATIVE, -1 - value);
      return true;
    }
    // Integers that are not safe are for the full encoder, and so is what is no number.
    if (!Number.isFinite(value) || Number.isInteger(value)) return false;
    this.#reserve(HEAD_BYTES);
    this.#bytes[this.#at] = FLOAT64;
    this.#view.setFloat64(this.#at + 1, value);
    this.#at += HEAD_BYTES;
    return true;
  }

  /** False for text beyond ASCII. */
  #text(text: string): boolean {
    const { length } = text;
    this.#head(TEXT, length);
    this.#reserve(length);
    if (length > SHORT_TEXT) {
      for (let index = 0; index < length; index += 1) if (text.charCodeAt(index) >= ASCII_LIMIT) return false;
      this.#at += this.#buffer.write(text, this.#at, 'latin1');
      return true;
    }
    for (let index = 0; index < length; index += 1) {
      const code = text.charCodeAt(index);
      if (code >= ASCII_LIMIT) return false;
      this.#bytes[this.#at + index] = code;
    }
    this.#at += length;
    return true;
  }

  #head(major: number, argument: number): void {
    this.#reserve(HEAD_BYTES);
    if (argument < INFO_UINT8) {
      this.#bytes[this.#at] = major | argument;
      this.#at += 1;
    } else if (argument < UINT8_LIMIT) {
      this.#bytes[this.#at] = major | INFO_UINT8;
      this.#bytes[this.#at + 1] = argument;
      this.#at += 2;
    } else if (argument < UINT16_LIMIT) {
      this.#bytes[this.#at] = major | INFO_UINT16;
      this.#view.setUint16(this.#at + 1, argument);
      this.#at += 3;
    } else if (argument < UINT32_LIMIT) {
      this.#bytes[this.#at] = major | INFO_UINT32;
      this.#view.setUint32(this.#at + 1, argument);
      this.#at += 5;
    } else {
      this.#bytes[this.#at] = major | INFO_UINT64;
      this.#view.setUint32(this.#at + 1, Math.floor(argument / UINT32_LIMIT));
      this.#view.setUint32(this.#at + 5, argument % UINT32_LIMIT);
      this.#at += HEAD_BYTES;
    }
  }

  #byte(byte: number): true {
    this.#reserve(1);
    this.#bytes[this.#at] = byte;
    this.#at += 1;
    return true;
  }

  #raw(bytes: Uint8Array): true {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
    return true;
  }

  #reserve(more: number): void {
    const needed = this.#at + more;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#replace(larger);
  }

  #replace(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes;
    this.#buffer = Buffer.from(bytes.buffer);
    this.#view = new DataView(bytes.buffer);
  }
}

function isFields(value: object): value is Readonly<Record<string, unknown>> {
  return !Array.isArray(value);
}

/** Shorter keys first, those of one length by their characters. Few keys, as most maps have, are sorted in place. */
function sortKeys(keys: string[]): readonly string[] {
  if (keys.length > FEW_KEYS) return keys.sort((a, b) => (a === b ? 0 : isBefore(a, b) ? -1 : 1));
  for (let from = 1; from < keys.length; from += 1) {
    const key = keys[from] ?? '';
    let to = from;
    for (let other = keys[to - 1]; other !== undefined && isBefore(key, other); other = keys[to - 1]) {
      keys[to] = other;
      to -= 1;
    }
    keys[to] = key;
  }
  return keys;
}

function isBefore(a: string, b: string): boolean {
  return a.length === b.length ? a < b : a.length < b.length;
}

const writer = new Writer();

/**
 * The canonical DAG-CBOR of a plain value behind `prefix`: ASCII text, bytes, safe integers, floats, booleans, null,
 * lists and maps. Undefined for anything else, which says nothing: it is for the full encoder.
 */
export function writePlain(value: unknown, prefix: Uint8Array): Uint8Array | undefined {
  return writer.write(value, prefix);
}
