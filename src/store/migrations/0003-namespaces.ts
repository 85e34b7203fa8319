import { buckets, keyOf } from '../buckets.ts';
import type { Operation } from '../database.ts';
import { Repository } from '../records.ts';
import { inSteps, type Migration } from './migration.ts';

interface AnyJob {
  readonly id: string;
  readonly namespace?: string;
}

/** Every job has a namespace, those of before the default one. A job that cannot be read is left as it is. */
export const namespaces: Migration = {
  format: 3,
  what: 'every job has a namespace',
  steps({ database }) {
    const jobs = new Repository<AnyJob>(database, buckets.job, ({ id }) => keyOf(id));
    return inSteps(
      (async function* (): AsyncGenerator<Operation> {
        for await (const job of jobs.values()) {
          if (job.namespace === undefined) yield jobs.put({ ...job, namespace: 'default' });
        }
      })(),
    );
  },
};
