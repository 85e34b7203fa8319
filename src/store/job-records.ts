import type { ContractRecord } from '../domain/market/contract.ts';
import type { Execution } from '../domain/market/execution.ts';
import type { JobEvent } from '../domain/job/job-event.ts';
import type { Job } from '../domain/job/job.ts';
import type { Search } from '../domain/market/search.ts';
import { buckets, countKey, keyOf } from './buckets.ts';
import type { Database } from './database.ts';
import { aggregateOf, compareExecutions, type JobAggregate, type JobHead } from './job-aggregate.ts';
import { JobIndex } from './job-index.ts';
import { KeySet, Repository } from './records.ts';

interface StoredEvent {
  readonly jobId: string;
  readonly event: JobEvent;
}

interface ContractOwner {
  readonly contractId: string;
  readonly jobId: string;
}

export interface IdempotencyRecord {
  readonly key: string;
  readonly jobId: string;
  readonly bodyDigest: string;
}

const OF_JOB = [
  'version',
  'namespace',
  'digest',
  'submitter',
  'createdAt',
  'state',
  'spec.name',
  'spec.count',
  'spec.labels',
  'spec.engine.type',
  'spec.resources',
  'spec.constraints',
  'spec.timeouts',
  'spec.retry',
  'spec.inputs',
  'spec.outputs',
  'spec.preferredProviders',
  'spec.excludedProviders',
];
const OF_HEAD = ['revision', 'lastSeq', 'lastRound'];
const OF_EXECUTION = ['partition', 'attempt', 'provider', 'desired', 'observed.state'];
const OF_SEARCH = ['requestId', 'state', 'exclude', 'index.entries'];
/** Of both sides. */
export const OF_CONTRACT = [
  'executionId',
  'state',
  'terms.value.provider',
  'terms.payload',
  'terms.signature',
];

/** The repositories of one job's parts. */
export class JobRecords {
  readonly jobs: Repository<Job>;
  readonly heads: Repository<JobHead>;
  readonly executions: Repository<Execution>;
  readonly searches: Repository<Search>;
  readonly contracts: Repository<ContractRecord>;
  readonly contractOwners: Repository<ContractOwner>;
  readonly events: Repository<StoredEvent>;
  readonly idempotency: Repository<IdempotencyRecord>;
  readonly pruning: KeySet;
  readonly proposed: KeySet;
  readonly index: JobIndex;

  constructor(database: Database) {
    this.jobs = new Repository(database, buckets.job, (job) => keyOf(job.id), OF_JOB);
    this.heads = new Repository(database, buckets.jobHead, (head) => keyOf(head.jobId), OF_HEAD);
    this.executions = new Repository(
      database,
      buckets.execution,
      ({ jobId, id }) => keyOf(jobId, id),
      OF_EXECUTION,
    );
    this.searches = new Repository(
      database,
      buckets.search,
      ({ jobId, round }) => this.searchKey(jobId, round),
      OF_SEARCH,
    );
    this.contracts = new Repository(
      database,
      buckets.contract,
      (contract) => this.contractKey(contract.jobId, contract.contractId),
      OF_CONTRACT,
    );
    this.contractOwners = new Repository(database, buckets.contractOwner, (owner) => keyOf(owner.contractId));
    this.events = new Repository(database, buckets.event, ({ jobId, event }) =>
      this.eventKey(jobId, event.seq),
    );
    this.idempotency = new Repository(database, buckets.idempotency, (record) => keyOf(record.key));
    this.pruning = new KeySet(database, buckets.jobPruning);
    this.proposed = new KeySet(database, buckets.contractProposed);
    this.index = new JobIndex(database);
  }

  searchKey(jobId: string, round: number): string {
    return keyOf(jobId, countKey(round));
  }

  contractKey(jobId: string, contractId: string): string {
    return keyOf(jobId, contractId);
  }

  eventKey(jobId: string, seq: number): string {
    return keyOf(jobId, countKey(seq));
  }

  /** True when there is certainly no such job; false says nothing. */
  lacks(jobId: string): boolean {
    return this.heads.lacks(keyOf(jobId));
  }

  /**
   * The whole job as it is on disk. The caller sees to it that nothing of it is written meanwhile. Throws
   * `RECORD_UNREADABLE` where a part of it is damaged: what is decided on half a job could be wrong.
   */
  async read(jobId: string): Promise<JobAggregate | undefined> {
    const head = await this.heads.get(keyOf(jobId));
    if (head === undefined) return undefined;
    const job = await this.jobs.get(jobId);
    if (job === undefined)
      throw this.jobs.unreadable(jobId, 'it is gone, and other parts of the job are there');
    const executions: Execution[] = [];
    for await (const execution of this.executions.allValues({ prefix: `${jobId}/` }))
      executions.push(execution);
    const search =
      head.lastRound === 0 ? undefined : await this.searches.get(this.searchKey(jobId, head.lastRound));
    if (head.lastRound !== 0 && search === undefined) {
      const key = this.searchKey(jobId, head.lastRound);
      throw this.searches.unreadable(key, 'it is gone, and other parts of the job are there');
    }
    return aggregateOf(head, job, executions.sort(compareExecutions), search);
  }
}
