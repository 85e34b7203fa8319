import { buckets } from './buckets.ts';
import type { Database } from './database.ts';
import { JobRecords } from './job-records.ts';
import { KeySet } from './records.ts';

/** Their keys begin with a time. */
const BY_TIME = [buckets.jobListing, buckets.jobFinished, buckets.answerAge] as const;

/** The newest time in the records of jobs and answers; 0 where there are none. */
export async function newestTimeOf(database: Database): Promise<number> {
  let newestMs = 0;
  for (const bucket of BY_TIME) {
    for await (const key of new KeySet(database, bucket).keys({ reverse: true, limit: 1 })) {
      const timeMs = Number(key.slice(0, key.indexOf('/')));
      if (Number.isSafeInteger(timeMs)) newestMs = Math.max(newestMs, timeMs);
    }
  }
  // Every fact of a job has an event, so its last one is the newest time that it knows of.
  const records = new JobRecords(database);
  for (const jobId of await records.index.openJobs()) {
    for await (const { event } of records.events.values({ prefix: `${jobId}/`, reverse: true, limit: 1 })) {
      newestMs = Math.max(newestMs, event.at);
    }
  }
  return newestMs;
}
