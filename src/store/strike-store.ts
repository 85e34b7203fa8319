import type { StrikeChange } from '../domain/trust/strike-history.ts';
import type { PeerStrikes } from '../domain/trust/strikes.ts';
import { buckets, keyOf } from './buckets.ts';
import type { CommitQueue } from './commit-queue.ts';
import type { Database, Operation } from './database.ts';
import { Repository } from './records.ts';

/** Whose behaviour a strike is about: that of providers towards this requester, or of requesters towards this provider. */
export type StruckRole = 'provider' | 'requester';

interface StoredStrikes extends PeerStrikes {
  readonly role: StruckRole;
}

/** The strikes against peers in one role on a database, by their peer ids. */
export class LevelStrikeStore {
  readonly #queue: CommitQueue;
  readonly #role: StruckRole;
  readonly #strikes: Repository<StoredStrikes>;

  constructor(database: Database, queue: CommitQueue, role: StruckRole) {
    this.#queue = queue;
    this.#role = role;
    this.#strikes = new Repository(database, buckets.strike, (stored) => keyOf(stored.role, stored.peer));
  }

  async load(): Promise<readonly PeerStrikes[]> {
    const found: PeerStrikes[] = [];
    const prefix = `${this.#role}/`;
    for await (const { role: _role, ...strikes } of this.#strikes.values({ prefix })) found.push(strikes);
    return found;
  }

  async write(change: StrikeChange): Promise<void> {
    const role = this.#role;
    const operations: Operation[] = [
      ...change.forgotten.map((peer) => this.#strikes.remove(keyOf(role, peer))),
      ...change.kept.map((strikes) => this.#strikes.put({ ...strikes, role })),
    ];
    if (operations.length > 0) await this.#queue.commit(operations);
  }
}
