import { CodedError, messageOf } from '../lib/coded-error.ts';

export type Operation =
  | { readonly type: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: string };

/** Keys from `gte` up to, but without, `lt`, in the order of their UTF-8 bytes. */
export interface KeyRange {
  readonly gte: string;
  readonly lt: string;
  /** From the last key to the first. */
  readonly reverse?: boolean;
  readonly limit?: number;
}

/**
 * An ordered map on disk. Everything rejects with `STORE_CLOSED` after `close`, with `DATABASE_UNREADABLE` when
 * what is stored is damaged, and with `STORE_FAILED` when the disk refuses.
 */
export interface Database {
  get(key: string): Promise<Uint8Array | undefined>;
  /**
   * True when there is certainly nothing under the key, found out at once; false says nothing. For keys that are most
   * likely new: those a filter in memory knows, and a read that waits for its turn costs more than the answer.
   */
  lacks(key: string): boolean;
  /**
   * Applies all operations in their order or none; resolves when they are on disk, and no read sees them before that.
   * Batches become durable in the order of the calls. After a rejection it is unknown whether the batch will be
   * there when the database is opened again.
   */
  batch(operations: readonly Operation[]): Promise<void>;
  /** Sees the database as it is when the first entry is asked for. */
  range(range: KeyRange): AsyncIterable<readonly [key: string, value: Uint8Array]>;
  /** Waits for batches that are being written. May be called more than once. */
  close(): Promise<void>;
}

export type DatabaseErrorCode =
  | 'DATABASE_LOCKED'
  | 'DATABASE_UNREADABLE'
  | 'DATABASE_NEWER'
  | 'STORE_FAILED'
  | 'STORE_CLOSED';

export function databaseLocked(folder: string, cause?: unknown): CodedError<DatabaseErrorCode> {
  return new CodedError(
    'DATABASE_LOCKED',
    `Another node is using the data directory (${folder}). Stop that node, or give this one another --data-dir.`,
    { cause, data: { folder } },
  );
}

export function databaseUnreadable(folder: string, cause?: unknown): CodedError<DatabaseErrorCode> {
  const why = cause === undefined ? '' : ` (${messageOf(cause)})`;
  return new CodedError(
    'DATABASE_UNREADABLE',
    `The database in ${folder} is damaged${why}. Restore it from a backup, or move it away to start with an empty one.`,
    { cause, data: { folder } },
  );
}

export function databaseNewer(folder: string, format: number, newest: number): CodedError<DatabaseErrorCode> {
  return new CodedError(
    'DATABASE_NEWER',
    `The database in ${folder} was written by a newer version of Bidmesh (format ${format}; this version knows formats up to ${newest}). Start that version again, or give this one another --data-dir.`,
    { data: { folder, format, newest } },
  );
}

export function storeFailed(what: string, cause?: unknown): CodedError<DatabaseErrorCode> {
  return new CodedError(
    'STORE_FAILED',
    `The disk refused ${what}. Check free space and permissions of the data directory, then start the node again.`,
    { cause },
  );
}

export function storeClosed(): CodedError<DatabaseErrorCode> {
  return new CodedError('STORE_CLOSED', 'The store is closed. Start the node again to use it.');
}

/** Every key that starts with `prefix`, whose last character must be plain ASCII below `~`. */
export function prefixRange(prefix: string): { readonly gte: string; readonly lt: string } {
  const last = prefix.charCodeAt(prefix.length - 1);
  if (!(last < 0x7e)) throw new RangeError(`not a prefix that has an end: ${prefix}`);
  return { gte: prefix, lt: prefix.slice(0, -1) + String.fromCharCode(last + 1) };
}
