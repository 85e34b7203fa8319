import { decode } from '@ipld/dag-cbor';
import { assert } from '../lib/assert.ts';
import { encodeCanonical } from '../lib/canonical.ts';
import { CodedError } from '../lib/coded-error.ts';
import type { BucketName } from './buckets.ts';
import { type Database, type KeyRange, type Operation, prefixRange } from './database.ts';

/** The first byte of every record; a change of a record's shape takes the next number. */
const RECORD_VERSION = 1;
const VERSION_PREFIX = Uint8Array.of(RECORD_VERSION);

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

/**
 * The records of one bucket. A record names its own key: that is checked when it is written and again when it is
 * read, so a value never turns up under another one's name. Reads throw `RECORD_UNREADABLE` for anything else.
 */
export class Repository<Value> {
  readonly #database: Database;
  readonly #bucket: BucketName;
  readonly #keyOf: (value: Value) => string;

  constructor(database: Database, bucket: BucketName, keyOf: (value: Value) => string) {
    this.#database = database;
    this.#bucket = bucket;
    this.#keyOf = keyOf;
  }

  async get(key: string): Promise<Value | undefined> {
    const bytes = await this.#database.get(`${this.#bucket}!${key}`);
    return bytes === undefined ? undefined : this.#decode(key, bytes);
  }

  /** True when there is certainly no such record; false says nothing. */
  lacks(key: string): boolean {
    return this.#database.lacks(`${this.#bucket}!${key}`);
  }

  async *values(options: RangeOptions = {}): AsyncGenerator<Value> {
    for await (const [key, bytes] of this.#database.range(rangeOf(this.#bucket, options))) {
      yield this.#decode(key.slice(this.#bucket.length + 1), bytes);
    }
  }

  async *keys(options: RangeOptions = {}): AsyncGenerator<string> {
    for await (const [key] of this.#database.range(rangeOf(this.#bucket, options))) {
      yield key.slice(this.#bucket.length + 1);
    }
  }

  /** Throws on values that have no canonical form. */
  put(value: Value): Extract<Operation, { readonly type: 'put' }> {
    return {
      type: 'put',
      key: `${this.#bucket}!${this.#keyOf(value)}`,
      value: encodeCanonical(value, VERSION_PREFIX),
    };
  }

  remove(key: string): Operation {
    return { type: 'del', key: `${this.#bucket}!${key}` };
  }

  #decode(key: string, bytes: Uint8Array): Value {
    const unreadable = (why: string, cause?: unknown): CodedError =>
      new CodedError(
        'RECORD_UNREADABLE',
        `A record of the store is damaged or was written by a newer version (${why}). Restore the data directory from a backup.`,
        { cause, data: { bucket: this.#bucket, key } },
      );
    if (bytes[0] !== RECORD_VERSION) throw unreadable('unknown version');
    try {
      // Own data: `put` of this class wrote it, so its version and its name stand for its shape.
      const value = decode<Value>(bytes.subarray(1));
      if (this.#keyOf(value) === key) return value;
    } catch (cause) {
      throw unreadable('not a record', cause);
    }
    throw unreadable('it names another key');
  }
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
