import { buckets, keyOf } from '../buckets.ts';
import { Repository } from '../records.ts';
import { inSteps, type Migration, rewritten } from './migration.ts';

interface AnyJob {
  readonly id: string;
  readonly namespace?: string;
}

export const namespaces: Migration = {
  format: 3,
  what: 'every job has a namespace',
  steps({ database }) {
    const jobs = new Repository<AnyJob>(database, buckets.job, ({ id }) => keyOf(id));
    return inSteps(
      rewritten(jobs, (job) => (job.namespace === undefined ? { ...job, namespace: 'default' } : job)),
    );
  },
};
