import { CodedError } from '../lib/coded-error.ts';
import { buckets, keyOf } from './buckets.ts';
import type { CommitQueue } from './commit-queue.ts';
import type { Database } from './database.ts';
import { FORMAT_NAME } from './format.ts';

/** Small records of the node, one for each name, as bytes that the owner of the name understands. */
export interface MetaStore {
  get(name: string): Promise<Uint8Array | undefined>;
  /** Resolves when it is on disk. Throws `META_TOO_LARGE`. */
  put(name: string, value: Uint8Array): Promise<void>;
}

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

function metaKey(name: string): string {
  return `${buckets.meta}!${keyOf(name)}`;
}
