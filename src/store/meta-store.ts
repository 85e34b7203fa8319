import { CodedError } from '../lib/coded-error.ts';
import { buckets, keyOf } from './buckets.ts';
import type { CommitQueue } from './commit-queue.ts';
import { type Database, databaseUnreadable } from './database.ts';

/** Small records of the node, one for each name, as bytes that the owner of the name understands. */
export interface MetaStore {
  get(name: string): Promise<Uint8Array | undefined>;
  /** Resolves when it is on disk. Throws `META_TOO_LARGE`. */
  put(name: string, value: Uint8Array): Promise<void>;
}

/** Grows when buckets or records change so that an older node would misread them. */
const FORMAT = 1;
const FORMAT_NAME = 'format';

export function createMetaStore(database: Database, queue: CommitQueue, mostBytes: number): MetaStore {
  const keyFor = (name: string): string => {
    if (name === FORMAT_NAME)
      throw new CodedError('META_NAME_TAKEN', 'This name belongs to the store itself.');
    return metaKey(name);
  };
  return {
    get: async (name) => await database.get(keyFor(name)),
    put: async (name, value) => {
      const key = keyFor(name);
      if (value.length > mostBytes) {
        throw new CodedError('META_TOO_LARGE', `A node record may have ${mostBytes} bytes.`, {
          data: { name, bytes: value.length },
        });
      }
      await queue.commit([{ type: 'put', key, value: value.slice() }]);
    },
  };
}

/** Notes the format in a new database; throws `DATABASE_UNREADABLE` for one of another format. */
export async function checkFormat(database: Database, folder: string): Promise<void> {
  const key = metaKey(FORMAT_NAME);
  const stored = await database.get(key);
  if (stored === undefined) {
    await database.batch([{ type: 'put', key, value: Uint8Array.of(FORMAT) }]);
  } else if (stored.length !== 1 || stored[0] !== FORMAT) {
    throw databaseUnreadable(folder, new Error('it has a format that this version does not know'));
  }
}

function metaKey(name: string): string {
  return `${buckets.meta}!${keyOf(name)}`;
}
