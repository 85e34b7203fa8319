import { isTerminalJobState, type Job } from '../domain/job.ts';
import { assert } from '../lib/assert.ts';
import type { Clock } from '../lib/clock.ts';
import type { CommitQueue } from './commit-queue.ts';
import type { Operation } from './database.ts';
import type { JobRecords } from './job-records.ts';
import type { JobTable } from './job-table.ts';
import type { StoreLimits } from './options.ts';
import { lastPartOf } from './records.ts';

export interface PrunedJobs {
  readonly jobIds: readonly string[];
  readonly more: boolean;
}

interface JobRetentionNeeds {
  readonly records: JobRecords;
  readonly table: JobTable;
  readonly queue: CommitQueue;
  readonly clock: Clock;
}

const PARTS_PER_BATCH = 1000;

/** Removes finished jobs: first the job itself in one batch with a note, then its parts, then the note. */
export class JobRetention {
  readonly #limits: Pick<StoreLimits, 'pruneScan'>;
  readonly #needs: JobRetentionNeeds;
  #finished = 0;

  constructor(limits: Pick<StoreLimits, 'pruneScan'>, needs: JobRetentionNeeds) {
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
    await this.#removeLeftovers();
    const newestToGo = this.#needs.clock.nowMs() - olderThanMs;
    const surplus = Math.max(0, this.#finished - keepAtMost);
    const due: string[] = [];
    let more = false;
    for await (const { jobId, finishedAt } of this.#needs.records.index.finished(
      this.#limits.pruneScan + 1,
    )) {
      if (finishedAt > newestToGo && due.length >= surplus) break;
      more = due.length === this.#limits.pruneScan;
      if (!more) due.push(jobId);
    }
    const removed = await Promise.all(due.map(async (jobId) => ((await this.#remove(jobId)) ? [jobId] : [])));
    const jobIds = removed.flat();
    for (const jobId of jobIds) await this.#removeParts(jobId);
    return { jobIds, more };
  }

  /** False when the job is being changed right now: it is left for another time. */
  async #remove(jobId: string): Promise<boolean> {
    const { records, table, queue } = this.#needs;
    const entry = table.acquire(jobId);
    try {
      if (entry.loading !== undefined) await entry.loading;
      const aggregate = entry.durable;
      if (aggregate === undefined || aggregate !== entry.newest) return false;
      const { head, snapshot } = aggregate;
      assert(isTerminalJobState(snapshot.job.state), 'an open job is listed as finished');
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
      });
      entry.newest = undefined;
      await written;
      return true;
    } finally {
      table.release(entry);
    }
  }

  async #removeLeftovers(): Promise<void> {
    for await (const jobId of this.#needs.records.pruning.keys({ limit: this.#limits.pruneScan })) {
      await this.#removeParts(jobId);
    }
  }

  async #removeParts(jobId: string): Promise<void> {
    const { records, queue } = this.#needs;
    let operations: Operation[] = [];
    const parts = [records.executions, records.searches, records.evaluations, records.events];
    for (const repository of [...parts, records.contracts]) {
      for await (const key of repository.keys({ prefix: `${jobId}/` })) {
        operations.push(repository.remove(key));
        if (repository === records.contracts) {
          operations.push(records.contractOwners.remove(lastPartOf(key)));
        }
        if (operations.length < PARTS_PER_BATCH) continue;
        await queue.commit(operations);
        operations = [];
      }
    }
    await queue.commit([...operations, records.pruning.remove(jobId)]);
  }
}
