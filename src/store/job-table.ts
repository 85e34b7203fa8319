import { LRUCache } from 'lru-cache';
import { assert } from '../lib/assert.ts';
import type { JobAggregate } from './job-aggregate.ts';
import type { JobRecords } from './job-records.ts';
import type { StoreLimits } from './options.ts';

/** One job in memory: as it is on disk, and as it will be when everything that waits is written. */
export interface JobEntry {
  readonly jobId: string;
  durable: JobAggregate | undefined;
  newest: JobAggregate | undefined;
  /** The last of its changes. */
  writing: Promise<void> | undefined;
  /** Present until the job was read from disk. */
  loading: Promise<void> | undefined;
  pins: number;
}

/**
 * Jobs in memory. An entry stays as long as somebody holds it, so a job that is being changed is never read from
 * disk at the same time; those that nobody holds are kept up to a bound, the least recently used going first.
 */
export class JobTable {
  readonly #pinned = new Map<string, JobEntry>();
  readonly #idle: LRUCache<string, JobEntry>;
  readonly #records: Pick<JobRecords, 'read' | 'lacks'>;

  constructor(
    limits: Pick<StoreLimits, 'cachedJobs' | 'cachedBytes'>,
    records: Pick<JobRecords, 'read' | 'lacks'>,
  ) {
    this.#idle = new LRUCache({
      max: limits.cachedJobs,
      maxSize: limits.cachedBytes,
      sizeCalculation: (entry) => entry.durable?.sizeBytes ?? 1,
    });
    this.#records = records;
  }

  /**
   * Every `acquire` needs one `release`. The entry is only good once its `loading` is undefined or has resolved.
   * One that is likely new is not read when the disk says at once that it has no such job.
   */
  acquire(jobId: string, isLikelyNew = false): JobEntry {
    const pinned = this.#pinned.get(jobId);
    if (pinned !== undefined) {
      pinned.pins += 1;
      return pinned;
    }
    const idle = this.#idle.get(jobId);
    const entry = idle ?? {
      jobId,
      durable: undefined,
      newest: undefined,
      writing: undefined,
      loading: undefined,
      pins: 0,
    };
    entry.pins = 1;
    this.#pinned.set(jobId, entry);
    if (idle !== undefined) this.#idle.delete(jobId);
    else if (!isLikelyNew || !this.#records.lacks(jobId)) entry.loading = this.#load(entry);
    return entry;
  }

  /** The job as it is on disk, where that is in memory. */
  durable(jobId: string): JobAggregate | undefined {
    return (this.#pinned.get(jobId) ?? this.#idle.get(jobId))?.durable;
  }

  /** The last change of a job; there is none where the job is not in memory. */
  writing(jobId: string): Promise<void> | undefined {
    return (this.#pinned.get(jobId) ?? this.#idle.get(jobId))?.writing;
  }

  release(entry: JobEntry): void {
    assert(entry.pins > 0, 'a job is released more often than it was acquired');
    entry.pins -= 1;
    if (entry.pins > 0) return;
    this.#pinned.delete(entry.jobId);
    const settled = entry.loading === undefined && entry.durable === entry.newest;
    if (settled && entry.durable !== undefined) this.#idle.set(entry.jobId, entry);
  }

  async #load(entry: JobEntry): Promise<void> {
    const aggregate = await this.#records.read(entry.jobId);
    entry.durable = aggregate;
    entry.newest = aggregate;
    entry.loading = undefined;
  }
}
