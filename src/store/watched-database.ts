import type { DamageLog } from './damage-log.ts';
import type { Database, KeyRange, Operation } from './database.ts';

/** Where records are read from. With a damage log, what is unreadable is noted there. */
export interface RecordSource extends Database {
  readonly damage?: DamageLog;
}

/** A database whose records are watched for damage. */
export class WatchedDatabase implements RecordSource {
  readonly damage: DamageLog;
  readonly #database: Database;

  constructor(database: Database, damage: DamageLog) {
    this.#database = database;
    this.damage = damage;
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return this.#database.get(key);
  }

  lacks(key: string): boolean {
    return this.#database.lacks(key);
  }

  batch(operations: readonly Operation[]): Promise<void> {
    return this.#database.batch(operations);
  }

  range(range: KeyRange): AsyncIterable<readonly [key: string, value: Uint8Array]> {
    return this.#database.range(range);
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}
