import { crc32 } from 'node:zlib';
import { decode } from '@ipld/dag-cbor';
import { assert } from '../lib/assert.ts';
import { encodeCanonical } from '../lib/canonical.ts';
import { CodedError, codeOf, messageOf } from '../lib/coded-error.ts';
import type { BucketName } from './buckets.ts';
import { type Database, type KeyRange, type Operation, prefixRange } from './database.ts';
import type { RecordSource } from './watched-database.ts';

/**
 * The first byte of every record; a change of a record's form takes the next number. Behind 1, as version 0.1.0 wrote it,
 * comes the value at once; behind 2 a checksum of key and value, as LevelDB here does not check its own when it reads.
 */
const PLAIN = 1;
const CHECKED = 2;
const CHECKSUM_BYTES = 4;
const HEAD = Uint8Array.of(CHECKED, 0, 0, 0, 0);

export interface RangeOptions {
  /** Only keys that start with this. */
  readonly prefix?: string;
  readonly gte?: string;
  readonly lt?: string;
  readonly reverse?: boolean;
  readonly limit?: number;
}

function rangeOf(bucket: BucketName, options: RangeOptions): KeyRange {
  const whole = prefixRange(`${bucket}!${options.prefix ?? ''}`);
  return {
    gte: options.gte === undefined ? whole.gte : `${bucket}!${options.gte}`,
    lt: options.lt === undefined ? whole.lt : `${bucket}!${options.lt}`,
    ...(options.reverse === undefined ? {} : { reverse: options.reverse }),
    ...(options.limit === undefined ? {} : { limit: options.limit }),
  };
}

/** A reading of one record: what it says, or why it cannot be read. */
type Reading<Value> = { readonly key: string } & (
  | { readonly value: Value }
  | { readonly value: undefined; readonly error: CodedError }
);

/**
 * The records of one bucket. A record names its own key: that is checked when it is written and again when it is
 * read, so a value never turns up under another one's name. What cannot be read is left where it is, noted as damage of
 * the store, and passed over by whoever reads many: one record must not keep a node from the others.
 */
export class Repository<Value> {
  readonly #database: RecordSource;
  readonly #bucket: BucketName;
  readonly #keyOf: (value: Value) => string;
  readonly #needed: readonly string[];

  /** `needed`: fields that every record has, with dots between the names of inner ones. */
  constructor(
    database: Database,
    bucket: BucketName,
    keyOf: (value: Value) => string,
    needed: readonly string[] = [],
  ) {
    this.#database = database;
    this.#bucket = bucket;
    this.#keyOf = keyOf;
    this.#needed = needed;
  }

  /** Throws `RECORD_UNREADABLE`. */
  async get(key: string): Promise<Value | undefined> {
    const bytes = await this.#database.get(`${this.#bucket}!${key}`);
    if (bytes === undefined) return undefined;
    const reading = this.#read(key, bytes);
    if ('error' in reading) throw reading.error;
    return reading.value;
  }

  /** True when there is certainly no such record; false says nothing. */
  lacks(key: string): boolean {
    return this.#database.lacks(`${this.#bucket}!${key}`);
  }

  /** Those that can be read. */
  async *values(options: RangeOptions = {}): AsyncGenerator<Value> {
    for await (const { value } of this.readings(options)) if (value !== undefined) yield value;
  }

  /** For what makes sense only with all of them: throws `RECORD_UNREADABLE`. */
  async *allValues(options: RangeOptions = {}): AsyncGenerator<Value> {
    for await (const reading of this.readings(options)) {
      if ('error' in reading) throw reading.error;
      yield reading.value;
    }
  }

  /** Each with its key, also where it cannot be read. */
  async *readings(options: RangeOptions = {}): AsyncGenerator<Reading<Value>> {
    for await (const [key, bytes] of this.#database.range(rangeOf(this.#bucket, options))) {
      yield this.#read(key.slice(this.#bucket.length + 1), bytes);
    }
  }

  async *keys(options: RangeOptions = {}): AsyncGenerator<string> {
    for await (const [key] of this.#database.range(rangeOf(this.#bucket, options))) {
      yield key.slice(this.#bucket.length + 1);
    }
  }

  /** Throws on values that have no canonical form. */
  put(value: Value): Extract<Operation, { readonly type: 'put' }> {
    const key = `${this.#bucket}!${this.#keyOf(value)}`;
    const bytes = encodeCanonical(value, HEAD);
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(1, checksumOf(key, bytes));
    return { type: 'put', key, value: bytes };
  }

  remove(key: string): Operation {
    return { type: 'del', key: `${this.#bucket}!${key}` };
  }

  /** What is wrong with a record that should be there, and is not or cannot be used. */
  unreadable(key: string, why: string, cause?: unknown): CodedError {
    const where = `${this.#bucket}!${key}`;
    const message = `The record ${where} cannot be read: ${why}. It is left where it is and passed over; restore the data directory from a backup to have it again.`;
    this.#database.damage?.note({ where, message });
    return new CodedError('RECORD_UNREADABLE', message, { cause, data: { bucket: this.#bucket, key } });
  }

  #read(key: string, bytes: Uint8Array): Reading<Value> {
    try {
      const value = this.#decode(key, bytes);
      return { key, value };
    } catch (cause) {
      return { key, value: undefined, error: this.unreadable(key, messageOf(cause), cause) };
    }
  }

  /** Own data: `put` of this class wrote it, so its version and its name stand for its shape. Throws in plain words. */
  #decode(key: string, bytes: Uint8Array): Value & {} {
    const version = bytes[0];
    if (version !== PLAIN && version !== CHECKED) {
      throw new Error(
        version === undefined
          ? 'it is empty'
          : `it has the form ${version}, which this version of Bidmesh does not know`,
      );
    }
    const head = version === PLAIN ? 1 : HEAD.length;
    if (version === CHECKED && !isIntact(`${this.#bucket}!${key}`, bytes)) {
      throw new Error('its checksum does not fit');
    }
    let value: Value & {};
    let name: string;
    try {
      value = decode<Value & {}>(bytes.subarray(head));
      name = this.#keyOf(value);
    } catch (cause) {
      throw new Error('it is not a record', { cause });
    }
    if (name !== key) throw new Error('it names another key');
    const missing = this.#needed.find((path) => !has(value, path));
    if (missing !== undefined) throw new Error(`it has no ${missing}`);
    return value;
  }
}

function checksumOf(key: string, bytes: Uint8Array): number {
  return crc32(bytes.subarray(HEAD.length), crc32(key));
}

function isIntact(key: string, bytes: Uint8Array): boolean {
  if (bytes.length < HEAD.length) return false;
  const stored = new DataView(bytes.buffer, bytes.byteOffset).getUint32(HEAD.length - CHECKSUM_BYTES);
  return stored === checksumOf(key, bytes);
}

function has(value: unknown, path: string): boolean {
  let inner: unknown = value;
  for (const name of path.split('.')) {
    if (typeof inner !== 'object' || inner === null) return false;
    inner = Object.entries(inner).find(([key]) => key === name)?.[1];
  }
  return inner !== undefined;
}

/** Whether an error says that one record cannot be read, so that the others still can. */
export function isUnreadable(error: unknown): boolean {
  return codeOf(error) === 'RECORD_UNREADABLE';
}

const NOTHING = new Uint8Array();

/** A bucket of keys without values. */
export class KeySet {
  readonly #database: Database;
  readonly #bucket: BucketName;

  constructor(database: Database, bucket: BucketName) {
    this.#database = database;
    this.#bucket = bucket;
  }

  put(key: string): Operation {
    return { type: 'put', key: `${this.#bucket}!${key}`, value: NOTHING };
  }

  remove(key: string): Operation {
    return { type: 'del', key: `${this.#bucket}!${key}` };
  }

  async *keys(options: RangeOptions = {}): AsyncGenerator<string> {
    for await (const [key] of this.#database.range(rangeOf(this.#bucket, options))) {
      yield key.slice(this.#bucket.length + 1);
    }
  }
}

/** The last part of a key of two parts. */
export function lastPartOf(key: string): string {
  const slash = key.indexOf('/');
  assert(slash > 0 && slash < key.length - 1, 'a key has no id');
  return key.slice(slash + 1);
}
