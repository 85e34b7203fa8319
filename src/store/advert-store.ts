import type { AdvertStore, StoredAdvert } from '../registry/ports.ts';
import { buckets, keyOf } from './buckets.ts';
import type { CommitQueue } from './commit-queue.ts';
import type { Database, Operation } from './database.ts';
import { Repository } from './records.ts';

/** The adverts of other nodes on a database, by their peer ids. */
export class LevelAdvertStore implements AdvertStore {
  readonly #queue: CommitQueue;
  readonly #adverts: Repository<StoredAdvert>;

  constructor(database: Database, queue: CommitQueue) {
    this.#queue = queue;
    this.#adverts = new Repository(database, buckets.advert, ({ evidence }) => keyOf(evidence.signer));
  }

  async load(limit: number): Promise<readonly StoredAdvert[]> {
    const stored: StoredAdvert[] = [];
    for await (const advert of this.#adverts.values({ limit })) stored.push(advert);
    return stored;
  }

  async write(change: {
    readonly kept: readonly StoredAdvert[];
    readonly forgotten: readonly string[];
  }): Promise<void> {
    const operations: Operation[] = [
      ...change.forgotten.map((peer) => this.#adverts.remove(peer)),
      ...change.kept.map((advert) => this.#adverts.put(advert)),
    ];
    if (operations.length > 0) await this.#queue.commit(operations);
  }

  /** Each batch takes lived time along, an empty one too. */
  async keepTime(): Promise<void> {
    await this.#queue.commit([]);
  }
}
