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
const SPECIAL_KEYS: ReadonlySet<string> = new Set(['__proto__', '/', 'asCID']);

/** One walk over bytes, without making the value they stand for. */
class Walk {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** True when one value in plain canonical form starts here; it has been passed then. */
  value(depth: number): boolean {
    const first = this.#bytes[this.#at];
    if (first === undefined || depth > MOST_NESTED) return false;
    const major = first >> MAJOR_SHIFT;
    if (major === SIMPLE) return this.#simple(first & INFO_MASK);
    const argument = this.#argument();
    if (argument === undefined) return false;
    switch (major) {
      case UINT:
      case NEGATIVE:
        return true;
      case BYTES:
        return this.#skip(argument);
      case TEXT:
        return this.#ascii(argument);
      case ARRAY:
        return this.#items(argument, depth + 1);
      case MAP:
        return this.#entries(argument, depth + 1);
      default:
        return false;
    }
  }

  /** The number in a head, in its shortest form and below 2^32. */
  #argument(): number | undefined {
    const info = (this.#bytes[this.#at] ?? 0) & INFO_MASK;
    this.#at += 1;
    if (info < INFO_UINT8) return info;
    const left = this.#bytes.length - this.#at;
    if (info === INFO_UINT8 && left >= 1) return this.#atLeast(INFO_UINT8, this.#view.getUint8(this.#at), 1);
    if (info === INFO_UINT16 && left >= 2)
      return this.#atLeast(UINT8_LIMIT, this.#view.getUint16(this.#at), 2);
    if (info === INFO_UINT32 && left >= 4)
      return this.#atLeast(UINT16_LIMIT, this.#view.getUint32(this.#at), 4);
    if (info === FLOAT64 && left >= 8) return this.#uint64();
    return undefined;
  }

  #atLeast(least: number, value: number, width: number): number | undefined {
    this.#at += width;
    return value >= least ? value : undefined;
  }

  #uint64(): number | undefined {
    const value = this.#view.getBigUint64(this.#at);
    this.#at += 8;
    // A negative number is one less than its argument says, and has to be a safe one too.
    return value >= 2n ** 32n && value < BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : undefined;
  }

  /** False, true, null, and a float64 that no integer stands for. */
  #simple(info: number): boolean {
    this.#at += 1;
    if (info >= FALSE && info <= NULL) return true;
    if (info !== FLOAT64 || this.#bytes.length - this.#at < 8) return false;
    const value = this.#view.getFloat64(this.#at);
    this.#at += 8;
    return Number.isFinite(value) && !Number.isInteger(value);
  }

  #skip(length: number): boolean {
    this.#at += length;
    return this.#at <= this.#bytes.length;
  }

  #ascii(length: number): boolean {
    const end = this.#at + length;
    if (end > this.#bytes.length) return false;
    for (; this.#at < end; this.#at += 1) if ((this.#bytes[this.#at] ?? 0) >= ASCII_LIMIT) return false;
    return true;
  }

  #items(count: number, depth: number): boolean {
    for (let index = 0; index < count; index += 1) if (!this.value(depth)) return false;
    return true;
  }

  /** Keys are text, each longer than the one before or behind it by its bytes. */
  #entries(count: number, depth: number): boolean {
    let earlierAt = 0;
    let earlierLength = -1;
    for (let index = 0; index < count; index += 1) {
      const isText = (this.#bytes[this.#at] ?? 0) >> MAJOR_SHIFT === TEXT;
      const length = isText ? this.#argument() : undefined;
      if (length === undefined) return false;
      const keyAt = this.#at;
      if (!this.#ascii(length) || !this.#isPlainKey(keyAt, length)) return false;
      if (length < earlierLength) return false;
      if (length === earlierLength && !this.#isBefore(earlierAt, keyAt, length)) return false;
      earlierAt = keyAt;
      earlierLength = length;
      if (!this.value(depth)) return false;
    }
    return true;
  }

  #isPlainKey(at: number, length: number): boolean {
    for (const key of SPECIAL_KEYS) if (key.length === length && this.#reads(key, at)) return false;
    return length > 0;
  }

  #reads(text: string, at: number): boolean {
    for (let index = 0; index < text.length; index += 1)
      if (this.#bytes[at + index] !== text.charCodeAt(index)) return false;
    return true;
  }

  #isBefore(a: number, b: number, length: number): boolean {
    for (let index = 0; index < length; index += 1) {
      const difference = (this.#bytes[a + index] ?? 0) - (this.#bytes[b + index] ?? 0);
      if (difference !== 0) return difference < 0;
    }
    return false;
  }
}

/**
 * Whether the bytes are certainly the canonical DAG-CBOR of a plain value: ASCII text, bytes, safe integers, floats,
 * booleans, null, lists and maps. False says nothing: links and other text take the full check.
 */
export function isPlainCanonical(bytes: Uint8Array): boolean {
  const walk = new Walk(bytes);
  return walk.value(0) && walk.atEnd;
}
