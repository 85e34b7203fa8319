import { isLive } from '../domain/market/execution.ts';
import { isTerminalJobState, type Job } from '../domain/job/job.ts';
import { assert } from '../lib/assert.ts';
import type { Clock } from '../lib/clock.ts';
import type { Census } from './census.ts';
import type { CommitQueue } from './commit-queue.ts';
import type { Operation } from './database.ts';
import type { JobRecords } from './job-records.ts';
import type { JobTable } from './job-table.ts';
import type { StoreLimits } from './options.ts';
import { isUnreadable, lastPartOf } from './records.ts';

/**
 * Jobs that are gone, and their executions. What else belongs to them, such as content that they kept, is to be let
 * go of before the next call: until then they are remembered, over a crash as well, and given again after one.
 */
export interface PrunedJobs {
  readonly jobIds: readonly string[];
  readonly executionIds: readonly string[];
  readonly more: boolean;
}

interface PrunedJob {
  readonly jobId: string;
  readonly executionIds: readonly string[];
}

interface JobRetentionNeeds {
  readonly records: JobRecords;
  readonly table: JobTable;
  readonly queue: CommitQueue;
  readonly clock: Clock;
  readonly census: Pick<Census, 'job'>;
}

const PARTS_PER_BATCH = 1000;

/**
 * Removes finished jobs: first the job itself in one batch with a note, then, with the next call, its parts, then the
 * note. One with work that is not over is spared.
 */
export class JobRetention {
  readonly #limits: Pick<StoreLimits, 'pruneScan' | 'pruneGraceMs'>;
  readonly #needs: JobRetentionNeeds;
  #finished = 0;
  /** Jobs that the last call gave. */
  #given: readonly string[] = [];
  /** Jobs that were left out since the oldest one was looked at. */
  readonly #spared = new Set<string>();

  constructor(limits: Pick<StoreLimits, 'pruneScan' | 'pruneGraceMs'>, needs: JobRetentionNeeds) {
    this.#limits = limits;
    this.#needs = needs;
  }

  async load(): Promise<void> {
    this.#finished = 0;
    for await (const _ of this.#needs.records.index.finished()) this.#finished += 1;
  }

  /** Keeps count when a change is durable. */
  changed(before: Job | undefined, after: Job): void {
    const wasFinished = before !== undefined && isTerminalJobState(before.state);
    if (!wasFinished && isTerminalJobState(after.state)) this.#finished += 1;
  }

  async prune(olderThanMs: number, keepAtMost: number): Promise<PrunedJobs> {
    for (const jobId of this.#given) await this.#removeParts(jobId);
    this.#given = [];
    const { pruneScan } = this.#limits;
    const begun = await this.#begunBefore();
    const due = await this.#due(olderThanMs, keepAtMost);
    const more = due.length > pruneScan || begun.length === pruneScan;
    const taken = due.slice(0, pruneScan);
    const removed = await Promise.all(taken.map(async (jobId) => ({ jobId, of: await this.#remove(jobId) })));
    for (const { jobId, of } of removed) if (of === undefined) this.#spared.add(jobId);
    if (!more) this.#spared.clear();
    const gone = [...begun, ...removed.flatMap(({ of }) => of ?? [])];
    this.#given = gone.map(({ jobId }) => jobId);
    return { jobIds: this.#given, executionIds: gone.flatMap(({ executionIds }) => executionIds), more };
  }

  /** The first of the finished jobs that may go, and one more than are taken where there are more. */
  async #due(olderThanMs: number, keepAtMost: number): Promise<readonly string[]> {
    const nowMs = this.#needs.clock.livedMs();
    const surplus = Math.max(0, this.#finished - keepAtMost);
    const atMost = this.#limits.pruneScan + 1;
    const due: string[] = [];
    let seen = 0;
    for await (const { jobId, finishedAt } of this.#needs.records.index.finished(
      atMost + this.#spared.size,
    )) {
      const ageMs = nowMs - finishedAt;
      if (ageMs < olderThanMs && (seen >= surplus || ageMs < this.#limits.pruneGraceMs)) break;
      seen += 1;
      if (!this.#spared.has(jobId)) due.push(jobId);
      if (due.length === atMost) break;
    }
    return due;
  }

  /** Undefined when the job is being changed, cannot be read, or has work that is not over: it is left for another time. */
  async #remove(jobId: string): Promise<PrunedJob | undefined> {
    const { records, table, queue } = this.#needs;
    const entry = table.acquire(jobId);
    try {
      if (entry.loading !== undefined && !(await isWhole(entry.loading))) return undefined;
      const aggregate = entry.durable;
      if (aggregate === undefined || aggregate !== entry.newest) return undefined;
      const { head, snapshot } = aggregate;
      assert(isTerminalJobState(snapshot.job.state), 'an open job is listed as finished');
      if (snapshot.executions.some(isLive)) return undefined;
      const operations: Operation[] = [
        records.heads.remove(jobId),
        records.jobs.remove(jobId),
        ...records.index.remove(snapshot.job),
        records.pruning.put(jobId),
      ];
      if (head.idempotencyKey !== undefined) operations.push(records.idempotency.remove(head.idempotencyKey));
      const written = queue.commit(operations, () => {
        entry.durable = undefined;
        this.#finished -= 1;
        this.#needs.census.job(snapshot.job);
      });
      entry.newest = undefined;
      await written;
      return { jobId, executionIds: snapshot.executions.map(({ id }) => id) };
    } finally {
      table.release(entry);
    }
  }

  /** Jobs whose removal did not come to its end, as the node was stopped. */
  async #begunBefore(): Promise<readonly PrunedJob[]> {
    const { records } = this.#needs;
    const begun: PrunedJob[] = [];
    for await (const jobId of records.pruning.keys({ limit: this.#limits.pruneScan })) {
      const executionIds: string[] = [];
      for await (const key of records.executions.keys({ prefix: `${jobId}/` })) {
        executionIds.push(lastPartOf(key));
      }
      begun.push({ jobId, executionIds });
    }
    return begun;
  }

  async #removeParts(jobId: string): Promise<void> {
    const { records, queue } = this.#needs;
    let operations: Operation[] = [];
    const parts = [records.executions, records.searches, records.events];
    for (const repository of [...parts, records.contracts]) {
      for await (const key of repository.keys({ prefix: `${jobId}/` })) {
        operations.push(repository.remove(key));
        if (repository === records.contracts) {
          const contractId = lastPartOf(key);
          operations.push(records.contractOwners.remove(contractId), records.proposed.remove(contractId));
        }
        if (operations.length < PARTS_PER_BATCH) continue;
        await queue.commit(operations);
        operations = [];
      }
    }
    await queue.commit([...operations, records.pruning.remove(jobId)]);
  }
}

async function isWhole(loading: Promise<void>): Promise<boolean> {
  try {
    await loading;
    return true;
  } catch (error) {
    if (isUnreadable(error)) return false;
    throw error;
  }
}
