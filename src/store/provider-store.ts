import type { ContractNever, ContractRecord, ContractState } from '../domain/market/contract.ts';
import type { Evidence } from '../domain/market/evidence.ts';
import { isLeaseLive, type Lease } from '../domain/market/lock.ts';
import type { Clock } from '../lib/clock.ts';
import { CodedError } from '../lib/coded-error.ts';
import type { BidAnswer, ProviderCommit, ProviderExecution, ProviderStore } from '../provider/ports.ts';
import { AnswerLog } from './answer-log.ts';
import { buckets, isKey, keyOf } from './buckets.ts';
import type { Census } from './census.ts';
import type { CommitQueue } from './commit-queue.ts';
import type { Database, Operation } from './database.ts';
import type { RetentionOptions, StoreLimits } from './options.ts';
import { OF_CONTRACT } from './job-records.ts';
import { isUnreadable, Repository } from './records.ts';

interface LockVersion {
  readonly highest: number;
}

/** When it was said, for who looks into the store. */
interface StoredNever {
  readonly never: Evidence<ContractNever>;
  readonly storedAt: number;
}

export interface ProviderStoreNeeds {
  readonly database: Database;
  readonly queue: CommitQueue;
  readonly clock: Clock;
  readonly census: Census;
}

const LOCK_VERSION_KEY = 'highest';
const OF_LEASE = ['holder', 'resources', 'version', 'acquiredAt', 'ttlMs', 'state'];
const OF_EXECUTION = ['jobId', 'requester', 'lockId', 'invocation.engine', 'item.state', 'item.contractId'];
const ENDED: ReadonlySet<ContractState> = new Set(['COMPLETED', 'SETTLED', 'TERMINATED', 'DECLINED']);

type ProviderRetention = Pick<RetentionOptions, 'endedContractsMs' | 'neverBegunMs' | 'neversMs'>;

/** The provider store on a database, with what the node needs of it beyond the port. */
export class LevelProviderStore implements ProviderStore {
  readonly #limits: StoreLimits;
  readonly #queue: CommitQueue;
  readonly #clock: Clock;
  readonly #census: Census;
  readonly #leases: Repository<Lease>;
  readonly #versions: Repository<LockVersion>;
  readonly #executions: Repository<ProviderExecution>;
  readonly #contracts: Repository<ContractRecord>;
  readonly #nevers: Repository<StoredNever>;
  readonly #answers: AnswerLog;
  #highestLockVersion = 0;
  /** All nevers and when they were said or loaded, on the clock that does not jump; the oldest first. */
  readonly #saidAtMs = new Map<string, number>();
  /** Where the next prune goes on. */
  #contractsFrom = '';

  constructor(limits: StoreLimits, needs: ProviderStoreNeeds) {
    const { database } = needs;
    this.#limits = limits;
    this.#queue = needs.queue;
    this.#clock = needs.clock;
    this.#census = needs.census;
    this.#leases = new Repository(database, buckets.lease, (lease) => keyOf(lease.lockId), OF_LEASE);
    this.#versions = new Repository(database, buckets.lockVersion, () => LOCK_VERSION_KEY);
    this.#executions = new Repository(
      database,
      buckets.providerExecution,
      ({ item }) => keyOf(item.executionId),
      OF_EXECUTION,
    );
    this.#contracts = new Repository(
      database,
      buckets.providerContract,
      ({ contractId }) => keyOf(contractId),
      OF_CONTRACT,
    );
    this.#nevers = new Repository(
      database,
      buckets.providerNever,
      ({ never }) => keyOf(never.value.contractId),
      ['never.payload', 'never.signature'],
    );
    this.#answers = new AnswerLog(limits, database);
  }

  /** Before the first commit. */
  async prepare(): Promise<void> {
    await this.#answers.load();
    this.#highestLockVersion = await this.#storedVersion();
    for await (const id of this.#nevers.keys()) this.#saidAtMs.set(id, this.#clock.monotonicMs());
  }

  /** Versions only grow: where the highest one cannot be read, they go on from a number that none has had. */
  async #storedVersion(): Promise<number> {
    try {
      return (await this.#versions.get(LOCK_VERSION_KEY))?.highest ?? 0;
    } catch (error) {
      if (isUnreadable(error)) return this.#clock.livedMs();
      throw error;
    }
  }

  /** Besides the port's errors: `NEVERS_FULL`, with nothing written. */
  async commit(commit: ProviderCommit): Promise<void> {
    const now = this.#clock.livedMs();
    const { nevers = [] } = commit;
    if (nevers.length > 0 && this.#saidAtMs.size + nevers.length > this.#limits.nevers) throw neversFull();
    const operations: Operation[] = [];
    for (const execution of commit.executions ?? []) operations.push(this.#executions.put(execution));
    for (const id of commit.forgottenExecutionIds ?? []) operations.push(this.#executions.remove(id));
    for (const contract of commit.contracts ?? []) operations.push(this.#contracts.put(contract));
    for (const never of nevers) operations.push(this.#nevers.put({ never, storedAt: now }));
    const { leases = [], forgottenRequestIds = [], answers = [] } = commit;
    const answerChange = this.#answers.change(forgottenRequestIds, answers, now);
    operations.push(...this.#leaseOperations(leases), ...answerChange.operations);
    const highest = Math.max(this.#highestLockVersion, ...leases.map((lease) => lease.version));
    if (highest > this.#highestLockVersion) operations.push(this.#versions.put({ highest }));
    // A refused commit throws here, with nothing changed in memory.
    const written = this.#queue.commit(operations, undefined, true);
    answerChange.apply();
    this.#highestLockVersion = highest;
    for (const { value } of nevers) this.#saidAtMs.set(value.contractId, this.#clock.monotonicMs());
    await written;
    this.#census.provided(
      commit.executions ?? [],
      commit.contracts ?? [],
      commit.forgottenExecutionIds ?? [],
    );
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
    return await this.#answers.get(requestId, this.#clock.livedMs());
  }

  /**
   * Forgets contracts that ended longer ago than `endedContractsMs`, or `neverBegunMs` where nothing came of them, and
   * nevers that were said longer than `neversMs` ago. Each
   * call looks at a bounded number of records and the next one goes on behind them; `more` says that it has not come
   * to the last.
   */
  async pruneEnded({
    endedContractsMs,
    neverBegunMs,
    neversMs,
  }: ProviderRetention): Promise<{ readonly forgotten: number; readonly more: boolean }> {
    const limit = this.#limits.pruneScan;
    const nowMs = this.#clock.livedMs();
    const operations: Operation[] = [];
    let seen = 0;
    for await (const { key, value: contract } of this.#contracts.readings({
      gte: this.#contractsFrom,
      limit,
    })) {
      seen += 1;
      this.#contractsFrom = `${key}\0`;
      if (contract === undefined) continue;
      const keptMs =
        contract.why?.code === 'never-begun' ? Math.min(neverBegunMs, endedContractsMs) : endedContractsMs;
      if (!ENDED.has(contract.state) || contract.updatedAt > nowMs - keptMs) continue;
      operations.push(this.#contracts.remove(contract.contractId));
    }
    if (seen < limit) this.#contractsFrom = '';
    const old = this.#oldNevers(neversMs, limit + 1);
    const nevers = old.slice(0, limit);
    operations.push(...nevers.map((contractId) => this.#nevers.remove(contractId)));
    if (operations.length > 0) await this.#queue.commit(operations);
    for (const contractId of nevers) this.#saidAtMs.delete(contractId);
    return { forgotten: operations.length, more: this.#contractsFrom !== '' || old.length > limit };
  }

  /** From when they were said or loaded: the proposal may stand as long after a restart. */
  #oldNevers(neversMs: number, atMost: number): readonly string[] {
    const old: string[] = [];
    for (const [contractId, saidAtMs] of this.#saidAtMs) {
      if (old.length === atMost || this.#clock.monotonicMs() - saidAtMs < neversMs) break;
      old.push(contractId);
    }
    return old;
  }

  /** Ended leases go; the highest version stays, also when its lease is long gone. */
  #leaseOperations(leases: readonly Lease[]): readonly Operation[] {
    return leases.map((lease) =>
      isLeaseLive(lease) ? this.#leases.put(lease) : this.#leases.remove(lease.lockId),
    );
  }
}

function neversFull(): CodedError {
  return new CodedError('NEVERS_FULL', 'This node keeps as many answers as it may. Ask again later.');
}
