import type { JobSnapshot } from '../domain/job/plan.ts';
import type { JobFilter, JobPage } from '../orchestrator/ports.ts';
import { isKeyPart } from './buckets.ts';
import { matchesFilter, summaryOf } from './job-index.ts';
import type { JobRecords } from './job-records.ts';
import type { StoreLimits } from './options.ts';
import { isUnreadable } from './records.ts';

/** Pages of jobs, newest first. */
export class JobList {
  readonly #limits: Pick<StoreLimits, 'pageItems' | 'listScan'>;
  readonly #records: Pick<JobRecords, 'index' | 'jobs'>;
  readonly #snapshot: (jobId: string) => Promise<JobSnapshot | undefined>;

  constructor(
    limits: Pick<StoreLimits, 'pageItems' | 'listScan'>,
    records: Pick<JobRecords, 'index' | 'jobs'>,
    snapshot: (jobId: string) => Promise<JobSnapshot | undefined>,
  ) {
    this.#limits = limits;
    this.#records = records;
    this.#snapshot = snapshot;
  }

  /** The cursor stands behind the last job that was looked at, also where it stopped for the bound. */
  async page(filter: JobFilter): Promise<JobPage> {
    const limit = Math.max(1, Math.min(filter.limit, this.#limits.pageItems));
    if (filter.idPrefix !== undefined) return { items: await this.#beginningWith(filter.idPrefix, limit) };
    const items: JobSnapshot[] = [];
    let scanned = 0;
    let nextCursor: string | undefined;
    for await (const found of this.#records.index.newestFirst(filter.cursor, this.#limits.listScan + 1)) {
      if (items.length === limit || scanned === this.#limits.listScan) {
        return { items, ...(nextCursor === undefined ? {} : { nextCursor }) };
      }
      scanned += 1;
      nextCursor = found.cursor;
      const { summary } = found;
      if (summary === undefined || !matchesFilter(summary, filter)) continue;
      const snapshot = await readable(this.#snapshot(summary.jobId));
      if (snapshot !== undefined && matchesFilter(summaryOf(snapshot.job), filter)) items.push(snapshot);
    }
    return { items };
  }

  async #beginningWith(prefix: string, limit: number): Promise<readonly JobSnapshot[]> {
    if (!isKeyPart(prefix)) return [];
    const items: JobSnapshot[] = [];
    for await (const jobId of this.#records.jobs.keys({ prefix, reverse: true, limit })) {
      const snapshot = await readable(this.#snapshot(jobId));
      if (snapshot !== undefined) items.push(snapshot);
    }
    return items;
  }
}

/** What cannot be read is none of a list; who asks for it by its id is told. */
export async function readable<T>(reading: Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isUnreadable(error)) return undefined;
    throw error;
  }
}
