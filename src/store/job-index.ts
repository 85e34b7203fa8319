import { isTerminalJobState, type Job, type JobState } from '../domain/job/job.ts';
import { assert } from '../lib/assert.ts';
import { CodedError } from '../lib/coded-error.ts';
import type { JobFilter } from '../orchestrator/ports.ts';
import { buckets, keyOf, timeKey } from './buckets.ts';
import type { Database, Operation } from './database.ts';
import { KeySet, lastPartOf, Repository } from './records.ts';

/** As much of a job as a list is filtered by. */
export interface JobSummary {
  readonly jobId: string;
  readonly createdAt: number;
  readonly state: JobState;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

const CURSOR_PATTERN = /^\d{16}\/[^/]{1,512}$/;

/** Which jobs there are: all, the open ones, and the finished ones by their end. */
export class JobIndex {
  readonly #listing: Repository<JobSummary>;
  readonly #open: KeySet;
  readonly #finished: KeySet;

  constructor(database: Database) {
    this.#listing = new Repository(
      database,
      buckets.jobListing,
      ({ jobId, createdAt }) => keyOf(timeKey(createdAt), jobId),
      ['state', 'name', 'labels'],
    );
    this.#open = new KeySet(database, buckets.jobOpen);
    this.#finished = new KeySet(database, buckets.jobFinished);
  }

  /** What a change of a job changes in the indexes. */
  change(before: Job | undefined, after: Job): readonly Operation[] {
    if (before === after) return [];
    const operations: Operation[] = [];
    const open = !isTerminalJobState(after.state);
    if (before === undefined || isListedOtherwise(before, after)) {
      operations.push(this.#listing.put(summaryOf(after)));
    }
    if (before === undefined && open) operations.push(this.#open.put(createdKey(after)));
    if (before !== undefined && isTerminalJobState(before.state)) {
      assert(!open, 'a finished job becomes open again');
      assert(finishedKey(before) === finishedKey(after), 'a finished job finishes at another time');
      return operations;
    }
    if (!open) operations.push(this.#open.remove(createdKey(after)), this.#finished.put(finishedKey(after)));
    return operations;
  }

  /** Takes a finished job out of all indexes. */
  remove(job: Job): readonly Operation[] {
    return [this.#listing.remove(createdKey(job)), this.#finished.remove(finishedKey(job))];
  }

  /** Every job, finished ones included. */
  all(): AsyncIterable<JobSummary> {
    return this.#listing.values();
  }

  async openJobs(): Promise<readonly string[]> {
    const ids: string[] = [];
    for await (const key of this.#open.keys()) ids.push(lastPartOf(key));
    return ids;
  }

  /** Finished jobs, the one that ended first in front. */
  async *finished(limit?: number): AsyncGenerator<{ readonly jobId: string; readonly finishedAt: number }> {
    for await (const key of this.#finished.keys(limit === undefined ? {} : { limit })) {
      yield { jobId: lastPartOf(key), finishedAt: Number(key.slice(0, key.indexOf('/'))) };
    }
  }

  async lastFinished(limit: number): Promise<readonly string[]> {
    const ids: string[] = [];
    for await (const key of this.#finished.keys({ reverse: true, limit })) ids.push(lastPartOf(key));
    return ids;
  }

  /** Newest first, from behind `cursor`; without its summary where that cannot be read. Throws `CURSOR_INVALID`. */
  async *newestFirst(
    cursor: string | undefined,
    limit: number,
  ): AsyncGenerator<{ readonly summary: JobSummary | undefined; readonly cursor: string }> {
    if (cursor !== undefined && !CURSOR_PATTERN.test(cursor)) {
      throw new CodedError('CURSOR_INVALID', 'The cursor is not one of this list. Start without a cursor.');
    }
    const options = cursor === undefined ? {} : { lt: cursor };
    for await (const { key, value } of this.#listing.readings({ ...options, reverse: true, limit })) {
      yield { summary: value, cursor: key };
    }
  }

  /** What the indexes should say of a job, whatever they say: for a store that has lost some of its changes. */
  restore(job: Job): readonly Operation[] {
    const isOpen = !isTerminalJobState(job.state);
    const listed = this.#listing.put(summaryOf(job));
    if (isOpen) return [listed, this.#open.put(createdKey(job)), this.#finished.remove(finishedKey(job))];
    return [listed, this.#open.remove(createdKey(job)), this.#finished.put(finishedKey(job))];
  }
}

export function summaryOf(job: Job): JobSummary {
  return {
    jobId: job.id,
    createdAt: job.createdAt,
    state: job.state,
    name: job.spec.name,
    labels: job.spec.labels,
  };
}

export function matchesFilter(summary: JobSummary, filter: JobFilter): boolean {
  const { state, name, label } = filter;
  return (
    (state === undefined || summary.state === state) &&
    (name === undefined || summary.name === name) &&
    (label === undefined ||
      (Object.hasOwn(summary.labels, label.key) && summary.labels[label.key] === label.value))
  );
}

function isListedOtherwise(before: Job, after: Job): boolean {
  return before.state !== after.state || before.spec !== after.spec;
}

function createdKey(job: Job): string {
  return keyOf(timeKey(job.createdAt), job.id);
}

function finishedKey(job: Job): string {
  return keyOf(timeKey(job.finishedAt ?? job.createdAt), job.id);
}
