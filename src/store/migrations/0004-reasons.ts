import type { JobEvent } from '../../domain/job/job-event.ts';
import type { Job } from '../../domain/job/job.ts';
import type { ContractRecord } from '../../domain/market/contract.ts';
import type { Execution } from '../../domain/market/execution.ts';
import type { Search } from '../../domain/market/search.ts';
import { type BucketName, buckets, countKey, keyOf } from '../buckets.ts';
import type { Database, Operation } from '../database.ts';
import { KeySet, Repository } from '../records.ts';
import { inSteps, type Migration, rewritten } from './migration.ts';
import {
  contractWithWhy,
  eventWithWhy,
  executionWithWhy,
  jobWithWhy,
  searchWithWhy,
} from './told-reasons.ts';

interface EventOfJob {
  readonly jobId: string;
  readonly event: JobEvent;
}

/** Sentences become what was told of a reason; evaluations go, as every open job is looked at after a start. */
export const reasons: Migration = {
  format: 4,
  what: 'reasons are data, and evaluations are not stored',
  steps({ database }) {
    const each = <Value>(
      bucket: BucketName,
      key: (value: Value) => string,
      withWhy: (value: Value) => Value,
    ) => rewritten(new Repository(database, bucket, key), withWhy);
    return inSteps(
      (async function* (): AsyncGenerator<Operation> {
        yield* each<Job>(buckets.job, ({ id }) => keyOf(id), jobWithWhy);
        yield* each<Execution>(buckets.execution, ({ jobId, id }) => keyOf(jobId, id), executionWithWhy);
        yield* each<Search>(
          buckets.search,
          ({ jobId, round }) => keyOf(jobId, countKey(round)),
          searchWithWhy,
        );
        yield* each<ContractRecord>(
          buckets.contract,
          ({ jobId, contractId }) => keyOf(jobId, contractId),
          contractWithWhy,
        );
        yield* each<ContractRecord>(
          buckets.providerContract,
          ({ contractId }) => keyOf(contractId),
          contractWithWhy,
        );
        yield* each<EventOfJob>(
          buckets.event,
          ({ jobId, event }) => keyOf(jobId, countKey(event.seq)),
          (before) => {
            const event = eventWithWhy(before.event);
            return event === before.event ? before : { ...before, event };
          },
        );
        yield* removalOfEvaluations(database);
      })(),
    );
  },
};

async function* removalOfEvaluations(database: Database): AsyncGenerator<Operation> {
  const evaluations = new KeySet(database, buckets.evaluation);
  for await (const key of evaluations.keys()) yield evaluations.remove(key);
}
