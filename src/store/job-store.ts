import type { ContractRecord } from '../domain/market/contract.ts';
import type { JobEvent } from '../domain/job/job-event.ts';
import type { JobSnapshot } from '../domain/job/plan.ts';
import type { Search } from '../domain/market/search.ts';
import type { Clock } from '../lib/clock.ts';
import { CodedError } from '../lib/coded-error.ts';
import { KeyedLane } from '../lib/keyed-lane.ts';
import type { Logger } from '../lib/logger.ts';
import type { JobCommit, JobFilter, JobPage, JobStore, PendingCommit } from '../orchestrator/ports.ts';
import { isKey, isKeyPart } from './buckets.ts';
import type { Census } from './census.ts';
import type { CommitQueue } from './commit-queue.ts';
import type { LevelContentRecords } from './content-records.ts';
import type { Database } from './database.ts';
import { changeJob } from './job-aggregate.ts';
import { JobList, readable } from './job-list.ts';
import { JobRecords } from './job-records.ts';
import { JobRetention, type PrunedJobs } from './job-retention.ts';
import { type JobEntry, JobTable } from './job-table.ts';
import type { StoreLimits } from './options.ts';
import { Watchers } from './watchers.ts';

export interface JobStoreNeeds {
  readonly database: Database;
  readonly queue: CommitQueue;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly census: Census;
  readonly content: Pick<LevelContentRecords, 'change'>;
}

/** The job store on a database, with what the node needs of it beyond the port. */
export class LevelJobStore implements JobStore {
  readonly #limits: StoreLimits;
  readonly #queue: CommitQueue;
  readonly #records: JobRecords;
  readonly #table: JobTable;
  readonly #list: JobList;
  readonly #idempotencyLane = new KeyedLane();
  readonly #watchers: Watchers;
  readonly #retention: JobRetention;
  readonly #census: Census;
  readonly #content: JobStoreNeeds['content'];
  /** Contracts that are being written. */
  readonly #pendingContracts = new Map<string, ContractRecord>();

  constructor(limits: StoreLimits, needs: JobStoreNeeds) {
    this.#limits = limits;
    this.#queue = needs.queue;
    this.#records = new JobRecords(needs.database);
    this.#table = new JobTable(limits, this.#records);
    this.#list = new JobList(limits, this.#records, (jobId) => this.snapshot(jobId));
    this.#watchers = new Watchers(limits.watchers, needs.logger);
    this.#retention = new JobRetention(limits, {
      records: this.#records,
      table: this.#table,
      queue: needs.queue,
      clock: needs.clock,
      census: needs.census,
    });
    this.#census = needs.census;
    this.#content = needs.content;
  }

  /** Lists every job that can be read where it belongs: after damage its place in the lists may be what is gone. */
  async restoreIndexes(): Promise<void> {
    for await (const job of this.#records.jobs.values()) {
      await this.#queue.commit(this.#records.index.restore(job));
    }
  }

  /** Before the first commit. */
  async load(): Promise<void> {
    for await (const job of this.#records.index.all()) this.#census.job(undefined, job);
    await this.#retention.load();
  }

  /**
   * Besides the port's errors: `IDEMPOTENCY_TAKEN` (data: jobId, bodyDigest) once the job that has the key is durable,
   * `STORE_BUSY`, `COMMIT_TOO_LARGE`, `STORE_CLOSED`.
   */
  async commit(commit: JobCommit): Promise<JobSnapshot> {
    const { idempotency } = commit;
    if (idempotency === undefined) return await written(await this.#change(commit));
    // The second of two posts with one key waits for the first one's fate: it may name that job only once it is durable.
    return await this.#idempotencyLane.run(idempotency.key, async () => {
      const taken = await this.byIdempotencyKey(idempotency.key);
      if (taken === undefined) return await written(await this.#change(commit));
      throw new CodedError('IDEMPOTENCY_TAKEN', 'A job was posted with this Idempotency-Key before.', {
        data: { jobId: taken.jobId, bodyDigest: taken.bodyDigest },
      });
    });
  }

  async begin(commit: JobCommit): Promise<PendingCommit> {
    if (commit.idempotency === undefined) return await this.#change(commit);
    return { after: await this.commit(commit), durable: Promise.resolve() };
  }

  async newest(jobId: string): Promise<JobSnapshot | undefined> {
    if (!isKeyPart(jobId)) return undefined;
    return await this.#withEntry(jobId, false, async (entry) => entry.newest?.snapshot);
  }

  async newestContract(contractId: string): Promise<ContractRecord | undefined> {
    return this.#pendingContracts.get(contractId) ?? (await this.contract(contractId));
  }

  async settled(jobId: string): Promise<void> {
    if (isKeyPart(jobId)) await this.#table.writing(jobId);
  }

  async snapshot(jobId: string): Promise<JobSnapshot | undefined> {
    if (!isKeyPart(jobId)) return undefined;
    return await this.#withEntry(jobId, false, async (entry) => entry.durable?.snapshot);
  }

  async list(filter: JobFilter): Promise<JobPage> {
    return await this.#list.page(filter);
  }

  async openJobs(): Promise<readonly string[]> {
    return await this.#records.index.openJobs();
  }

  async byIdempotencyKey(
    key: string,
  ): Promise<{ readonly jobId: string; readonly bodyDigest: string } | undefined> {
    return isKey(key) ? await this.#records.idempotency.get(key) : undefined;
  }

  async contract(contractId: string): Promise<ContractRecord | undefined> {
    if (!isKeyPart(contractId)) return undefined;
    const owner = await this.#records.contractOwners.get(contractId);
    if (owner === undefined) return undefined;
    return await this.#records.contracts.get(this.#records.contractKey(owner.jobId, contractId));
  }

  async proposedContracts(limit: number): Promise<readonly ContractRecord[]> {
    const found: ContractRecord[] = [];
    for await (const contractId of this.#records.proposed.keys({ limit })) {
      const contract = await readable(this.contract(contractId));
      if (contract !== undefined) found.push(contract);
    }
    return found;
  }

  async lastFinished(limit: number): Promise<readonly string[]> {
    return await this.#records.index.lastFinished(limit);
  }

  /** In the order in which they were proposed. */
  async contractsOf(jobId: string): Promise<readonly ContractRecord[]> {
    if (!isKeyPart(jobId)) return [];
    const found = await collect(this.#records.contracts.values({ prefix: `${jobId}/` }));
    return found.sort((a, b) => a.terms.value.proposedAt - b.terms.value.proposedAt);
  }

  async searchesOf(jobId: string): Promise<readonly Search[]> {
    if (!isKeyPart(jobId)) return [];
    return await collect(this.#records.searches.values({ prefix: `${jobId}/` }));
  }

  async events(jobId: string, afterSeq: number, limit: number): Promise<readonly JobEvent[]> {
    if (!isKeyPart(jobId)) return [];
    const first = Math.max(0, afterSeq) + 1;
    const most = Math.max(1, Math.min(limit, this.#limits.eventsPerRead));
    const known = this.#table.durable(jobId);
    const recent = known?.recentEvents ?? [];
    if (known !== undefined && first >= (recent[0]?.seq ?? known.head.lastSeq + 1)) {
      return recent.filter(({ seq }) => seq >= first).slice(0, most);
    }
    const stored = this.#records.events.values({
      prefix: `${jobId}/`,
      gte: this.#records.eventKey(jobId, first),
      limit: most,
    });
    return (await collect(stored)).map(({ event }) => event);
  }

  watch(jobId: string, listener: (events: readonly JobEvent[]) => void): () => void {
    return this.#watchers.add(jobId, listener);
  }

  /**
   * Removes finished jobs that ended longer than `olderThanMs` ago, and the oldest of those beyond `keepAtMost`.
   * One call does a bounded part of that; `more` says that there is something left.
   */
  async pruneFinished(olderThanMs: number, keepAtMost: number): Promise<PrunedJobs> {
    return await this.#retention.prune(olderThanMs, keepAtMost);
  }

  async #change(commit: JobCommit): Promise<PendingCommit> {
    const isLikelyNew = commit.revision === 0;
    return await this.#withEntry(commit.jobId, isLikelyNew, async (entry) => {
      const revision = entry.newest?.head.revision ?? 0;
      if (revision !== commit.revision) throw revisionConflict(commit, revision);
      const before = entry.newest?.snapshot.job;
      const executionsBefore = entry.newest?.snapshot.executions ?? [];
      const change = changeJob(this.#records, entry.newest, commit);
      const { snapshot } = change.next;
      const { contracts = [], content: contentChanges = [] } = commit;
      const content = this.#content.change(contentChanges);
      const onDurable = (): void => {
        entry.durable = change.next;
        for (const contract of contracts) this.#forgetPending(contract);
        content.durable();
        this.#retention.changed(before, snapshot.job);
        this.#census.job(before, snapshot.job);
        this.#census.requested(executionsBefore, commit.executions ?? [], contracts);
        this.#watchers.notify(commit.jobId, change.events);
      };
      const operations = [...change.operations, ...content.operations];
      const onDisk = this.#queue.commit(operations, onDurable, commit.prompt);
      entry.newest = change.next;
      content.taken();
      for (const contract of contracts) this.#pendingContracts.set(contract.contractId, contract);
      return { after: snapshot, durable: this.#held(commit.jobId, onDisk) };
    });
  }

  #forgetPending(contract: ContractRecord): void {
    const { contractId } = contract;
    if (this.#pendingContracts.get(contractId) === contract) this.#pendingContracts.delete(contractId);
  }

  /** The entry stays in memory until what it knows is on disk. */
  #held(jobId: string, onDisk: Promise<void>): Promise<void> {
    const entry = this.#table.acquire(jobId);
    const durable = onDisk.finally(() => this.#table.release(entry));
    entry.writing = durable;
    return durable;
  }

  /** Calls `act` at once when the job is in memory. */
  async #withEntry<T>(jobId: string, isLikelyNew: boolean, act: (entry: JobEntry) => Promise<T>): Promise<T> {
    const entry = this.#table.acquire(jobId, isLikelyNew);
    try {
      if (entry.loading !== undefined) await entry.loading;
      return await act(entry);
    } finally {
      this.#table.release(entry);
    }
  }
}

async function written({ after, durable }: PendingCommit): Promise<JobSnapshot> {
  await durable;
  return after;
}

function revisionConflict(commit: JobCommit, revision: number): CodedError {
  return new CodedError('REVISION_CONFLICT', 'The job has changed meanwhile. Read it again and repeat.', {
    data: { jobId: commit.jobId, expected: commit.revision, revision },
  });
}

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}
