import type { ContractNever, ContractRecord, ContractState } from '../domain/contract.ts';
import type { Evidence } from '../domain/evidence.ts';
import { isLeaseLive, type Lease } from '../domain/lock.ts';
import type { Clock } from '../lib/clock.ts';
import type { BidAnswer, ProviderCommit, ProviderExecution, ProviderStore } from '../provider/ports.ts';
import { AnswerLog } from './answer-log.ts';
import { buckets, isKey, keyOf } from './buckets.ts';
import type { CommitQueue } from './commit-queue.ts';
import type { Database, Operation } from './database.ts';
import type { StoreLimits } from './options.ts';
import { Repository } from './records.ts';

interface LockVersion {
  readonly highest: number;
}

/** When it was said, so that it can be forgotten one day. */
interface StoredNever {
  readonly never: Evidence<ContractNever>;
  readonly storedAt: number;
}

export interface ProviderStoreNeeds {
  readonly database: Database;
  readonly queue: CommitQueue;
  readonly clock: Clock;
}

const LOCK_VERSION_KEY = 'highest';
const ENDED: ReadonlySet<ContractState> = new Set(['COMPLETED', 'SETTLED', 'TERMINATED', 'DECLINED']);

/** The provider store on a database, with what the node needs of it beyond the port. */
export class LevelProviderStore implements ProviderStore {
  readonly #limits: StoreLimits;
  readonly #queue: CommitQueue;
  readonly #clock: Clock;
  readonly #leases: Repository<Lease>;
  readonly #versions: Repository<LockVersion>;
  readonly #executions: Repository<ProviderExecution>;
  readonly #contracts: Repository<ContractRecord>;
  readonly #nevers: Repository<StoredNever>;
  readonly #answers: AnswerLog;
  #highestLockVersion = 0;
  /** Where the next prune goes on, by bucket. */
  #contractsFrom = '';
  #neversFrom = '';

  constructor(limits: StoreLimits, needs: ProviderStoreNeeds) {
    const { database } = needs;
    this.#limits = limits;
    this.#queue = needs.queue;
    this.#clock = needs.clock;
    this.#leases = new Repository(database, buckets.lease, (lease) => keyOf(lease.lockId));
    this.#versions = new Repository(database, buckets.lockVersion, () => LOCK_VERSION_KEY);
    this.#executions = new Repository(database, buckets.providerExecution, ({ item }) =>
      keyOf(item.executionId),
    );
    this.#contracts = new Repository(database, buckets.providerContract, ({ contractId }) =>
      keyOf(contractId),
    );
    this.#nevers = new Repository(database, buckets.providerNever, ({ never }) =>
      keyOf(never.value.contractId),
    );
    this.#answers = new AnswerLog(limits, database);
  }

  /** Before the first commit. */
  async prepare(): Promise<void> {
    await this.#answers.load();
    this.#highestLockVersion = (await this.#versions.get(LOCK_VERSION_KEY))?.highest ?? 0;
  }

  async commit(commit: ProviderCommit): Promise<void> {
    const now = this.#clock.nowMs();
    const operations: Operation[] = [];
    for (const execution of commit.executions ?? []) operations.push(this.#executions.put(execution));
    for (const id of commit.forgottenExecutionIds ?? []) operations.push(this.#executions.remove(id));
    for (const contract of commit.contracts ?? []) operations.push(this.#contracts.put(contract));
    for (const never of commit.nevers ?? []) operations.push(this.#nevers.put({ never, storedAt: now }));
    const { leases = [], forgottenRequestIds = [], answers = [] } = commit;
    const answerChange = this.#answers.change(forgottenRequestIds, answers, now);
    operations.push(...this.#leaseOperations(leases), ...answerChange.operations);
    const highest = Math.max(this.#highestLockVersion, ...leases.map((lease) => lease.version));
    if (highest > this.#highestLockVersion) operations.push(this.#versions.put({ highest }));
    // A refused commit throws here, with nothing changed in memory.
    const written = this.#queue.commit(operations);
    answerChange.apply();
    this.#highestLockVersion = highest;
    await written;
  }

  async load(): Promise<{
    readonly leases: readonly Lease[];
    readonly executions: readonly ProviderExecution[];
    readonly highestLockVersion: number;
  }> {
    const leases: Lease[] = [];
    for await (const lease of this.#leases.values()) leases.push(lease);
    const executions: ProviderExecution[] = [];
    for await (const execution of this.#executions.values()) executions.push(execution);
    return { leases, executions, highestLockVersion: this.#highestLockVersion };
  }

  async contract(contractId: string): Promise<ContractRecord | undefined> {
    return isKey(contractId) ? await this.#contracts.get(contractId) : undefined;
  }

  async never(contractId: string): Promise<Evidence<ContractNever> | undefined> {
    return isKey(contractId) ? (await this.#nevers.get(contractId))?.never : undefined;
  }

  async answer(requestId: string): Promise<BidAnswer | undefined> {
    return await this.#answers.get(requestId, this.#clock.nowMs());
  }

  /**
   * Forgets contracts that ended, and nevers that were said, longer than `olderThanMs` ago. Each call looks at a
   * bounded number of records and the next one goes on behind them; `more` says that it has not come to the last.
   */
  async pruneEnded(olderThanMs: number): Promise<{ readonly forgotten: number; readonly more: boolean }> {
    const newestToGo = this.#clock.nowMs() - olderThanMs;
    const limit = this.#limits.pruneScan;
    const operations: Operation[] = [];
    let seen = 0;
    for await (const contract of this.#contracts.values({ gte: this.#contractsFrom, limit })) {
      seen += 1;
      this.#contractsFrom = `${contract.contractId}\0`;
      if (!ENDED.has(contract.state) || contract.updatedAt > newestToGo) continue;
      operations.push(this.#contracts.remove(contract.contractId));
    }
    if (seen < limit) this.#contractsFrom = '';
    seen = 0;
    for await (const { never, storedAt } of this.#nevers.values({ gte: this.#neversFrom, limit })) {
      seen += 1;
      this.#neversFrom = `${never.value.contractId}\0`;
      if (storedAt <= newestToGo) operations.push(this.#nevers.remove(never.value.contractId));
    }
    if (seen < limit) this.#neversFrom = '';
    if (operations.length > 0) await this.#queue.commit(operations);
    return { forgotten: operations.length, more: this.#contractsFrom !== '' || this.#neversFrom !== '' };
  }

  /** Ended leases go; the highest version stays, also when its lease is long gone. */
  #leaseOperations(leases: readonly Lease[]): readonly Operation[] {
    return leases.map((lease) =>
      isLeaseLive(lease) ? this.#leases.put(lease) : this.#leases.remove(lease.lockId),
    );
  }
}
