import { mkdir } from 'node:fs/promises';
import { Level } from 'level';
import { type CodedError, codeOf } from '../lib/coded-error.ts';
import type { DamageLog } from './damage-log.ts';
import {
  type Database,
  type DatabaseErrorCode,
  databaseLocked,
  databaseUnreadable,
  type KeyRange,
  type Operation,
  storeClosed,
  storeFailed,
} from './database.ts';
import { inspectFiles, noteFiles } from './level-files.ts';

const ENTRIES_PER_READ = 256;
/** LevelDB makes its own files and folders: one that is named somewhere and not there was lost. */
const MISSING_PART = /^(Invalid argument|IO error: .*: No such file or directory)/;

/**
 * Opens, or makes, the LevelDB in `folder`. Throws `DATABASE_LOCKED` when another process has it open,
 * `DATABASE_UNREADABLE` when it is damaged, `STORE_FAILED` for anything else the disk says.
 */
export async function openLevelDatabase(folder: string, damage: DamageLog): Promise<Database> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await inspectFiles(folder, damage);
    const level = new Level<string, Uint8Array>(folder, { keyEncoding: 'utf8', valueEncoding: 'view' });
    await level.open();
    await noteFiles(folder, false).catch(() => {});
    return new LevelDatabase(folder, level);
  } catch (error) {
    if (codeOf(error) === 'DATABASE_UNREADABLE') throw error;
    throw levelError(folder, 'to open the database', error);
  }
}

/** The store's error for one of LevelDB's; its codes lie on the error or on the cause of it. */
export function levelError(folder: string, what: string, error: unknown): CodedError<DatabaseErrorCode> {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (cause instanceof Error && MISSING_PART.test(cause.message)) return databaseUnreadable(folder, cause);
  for (const code of [codeOf(cause), codeOf(error)]) {
    if (code === 'LEVEL_LOCKED') return databaseLocked(folder, error);
    if (code === 'LEVEL_CORRUPTION') return databaseUnreadable(folder, cause);
    if (code === 'LEVEL_IO_ERROR') return storeFailed(what, error);
    if (code === 'LEVEL_DATABASE_NOT_OPEN' || code === 'LEVEL_ITERATOR_NOT_OPEN') return storeClosed();
  }
  return storeFailed(what, error);
}

class LevelDatabase implements Database {
  readonly #folder: string;
  readonly #level: Level<string, Uint8Array>;

  constructor(folder: string, level: Level<string, Uint8Array>) {
    this.#folder = folder;
    this.#level = level;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    try {
      const value: Uint8Array | undefined = await this.#level.get(key);
      return value === undefined ? undefined : plainBytes(value);
    } catch (error) {
      throw levelError(this.#folder, 'to read', error);
    }
  }

  lacks(key: string): boolean {
    try {
      return this.#level.getSync(key) === undefined;
    } catch {
      // Whatever is wrong is for the read that follows to say.
      return false;
    }
  }

  async batch(operations: readonly Operation[]): Promise<void> {
    try {
      await this.#level.batch([...operations], { sync: true });
    } catch (error) {
      throw levelError(this.#folder, 'to write', error);
    }
  }

  async *range(range: KeyRange): AsyncGenerator<readonly [string, Uint8Array]> {
    try {
      const iterator = this.#level.iterator<string, Uint8Array>({
        gte: range.gte,
        lt: range.lt,
        reverse: range.reverse ?? false,
        limit: range.limit ?? -1,
      });
      try {
        for (;;) {
          const entries = await iterator.nextv(ENTRIES_PER_READ);
          if (entries.length === 0) return;
          for (const [key, value] of entries) yield [key, plainBytes(value)];
        }
      } finally {
        await iterator.close();
      }
    } catch (error) {
      throw levelError(this.#folder, 'to read', error);
    }
  }

  async close(): Promise<void> {
    try {
      await this.#level.close();
      await noteFiles(this.#folder, true).catch(() => {});
    } catch (error) {
      throw levelError(this.#folder, 'to close the database', error);
    }
  }
}

/** LevelDB hands out Node's own byte class, whose slices share memory. */
function plainBytes(value: Uint8Array): Uint8Array {
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}
