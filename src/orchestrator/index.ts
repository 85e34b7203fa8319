import type { StrikeStore } from '../domain/trust/behaviour-history.ts';
import type { Explanation } from '../domain/explain/explanation.ts';
import type { ContractRecord } from '../domain/market/contract.ts';
import type { JobDescription } from '../domain/job/job-description.ts';
import type { JobEvent } from '../domain/job/job-event.ts';
import type { JobState } from '../domain/job/job.ts';
import type { NodeNotes } from '../domain/trust/peer-memory.ts';
import type { JobSnapshot } from '../domain/job/plan.ts';
import type { Search } from '../domain/market/search.ts';
import type { ExitReason } from '../domain/program/task.ts';
import type { Startable } from '../lib/startable.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Random } from '../lib/random.ts';
import type { Notary } from '../domain/market/evidence.ts';
import type { BrokerStats } from './evaluations/broker-contract.ts';
import type { OrchestratorOptions } from './options.ts';
import { OrchestratorService } from './orchestrator-service.ts';
import type { WorkerCounters } from './workers/worker.ts';
import type {
  ContentFetcher,
  CounterpartCheck,
  JobFilter,
  JobPage,
  JobStore,
  LiveLogs,
  Market,
  PeerTable,
  RequesterHandler,
  StoredFiles,
} from './ports.ts';

/** Everything a requester needs from outside. */
export interface OrchestratorNeeds {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly notary: Notary;
  readonly store: JobStore;
  readonly strikes: StrikeStore;
  readonly notes: NodeNotes;
  readonly market: Market;
  readonly peers: PeerTable;
  readonly content: ContentFetcher;
  readonly files: StoredFiles;
  readonly live: LiveLogs;
  readonly check: CounterpartCheck;
}

export function createOrchestrator(options: OrchestratorOptions, needs: OrchestratorNeeds): Orchestrator {
  return new OrchestratorService(options, needs);
}

export interface PostOptions {
  readonly idempotencyKey?: string;
  /** Content id of the request body: the same key with another body is refused. */
  readonly bodyDigest: string;
}

export interface JobLogsOptions {
  /** This one; else the newest of its partition that ran. */
  readonly executionId?: string;
  /** 0 when it is not given. */
  readonly partition?: number;
  readonly stream: 'stdout' | 'stderr';
  /** Byte offset in the first execution that is read. */
  readonly from: number;
  /** Waits for what is still to come. */
  readonly follow: boolean;
  /** Goes on with the attempts that come after the first that is read, each from its start. */
  readonly onwards?: boolean;
}

/** One step in reading what executions print. */
export type LogPart =
  /** What follows is of this execution, from `offset` on. */
  | {
      readonly kind: 'attempt';
      readonly executionId: string;
      readonly partition: number;
      readonly attempt: number;
      readonly provider: string;
      readonly offset: number;
    }
  | {
      readonly kind: 'output';
      readonly executionId: string;
      readonly offset: number;
      readonly bytes: Uint8Array;
    }
  /** From `offset` on, up to `until` where more follows, the output has not come here; it may when the provider is back. */
  | {
      readonly kind: 'missing';
      readonly executionId: string;
      readonly offset: number;
      readonly until?: number;
    }
  /** Nothing more can come of what was asked for. Reading that breaks off has no such part. */
  | {
      readonly kind: 'end';
      readonly jobState: JobState;
      readonly executionId?: string;
      readonly exitReason?: ExitReason;
      readonly exitCode?: number;
    };

/** How scheduling goes, for an operator's monitoring. */
export interface SchedulingStats {
  readonly broker: BrokerStats;
  readonly worker: WorkerCounters;
}

/** The requester of one node, as its user sees it. */
export interface Orchestrator extends Startable {
  readonly handler: RequesterHandler;
  /**
   * processJob: checks, adds metadata, saves. Resolves when the job is on disk.
   * Throws `IDEMPOTENCY_CONFLICT`, `INPUT_UNAVAILABLE`, `QUOTA_EXCEEDED`, `STORE_FAILED`, `TOO_MANY_JOBS`.
   */
  postJob(
    description: JobDescription,
    options: PostOptions,
  ): Promise<{ readonly jobId: string; readonly repeated: boolean }>;
  /** Asks for the end of a job; resolves when that is on disk. Throws `JOB_NOT_FOUND`, `JOB_FINISHED`. */
  cancelJob(jobId: string): Promise<void>;
  job(jobId: string): Promise<JobSnapshot | undefined>;
  jobs(filter: JobFilter): Promise<JobPage>;
  searches(jobId: string): Promise<readonly Search[]>;
  contracts(jobId: string): Promise<readonly ContractRecord[]>;
  events(jobId: string, afterSeq: number, limit: number): Promise<readonly JobEvent[]>;
  watch(jobId: string, listener: (events: readonly JobEvent[]) => void): () => void;
  scheduling(): SchedulingStats;
  /** A provider may have room that it did not have before: jobs that wait for it try again, in turn. */
  roomFreed(provider: string): void;
  /** Why the job is where it is: every bid with its ranks, and what stood in the way. Throws `JOB_NOT_FOUND`. */
  explain(jobId: string): Promise<Explanation>;
  /** Search and shortlist only: nothing is stored, no lock is asked for. Throws `TOO_MANY_JOBS`, `INPUT_UNAVAILABLE`. */
  dryRun(description: JobDescription): Promise<Explanation>;
  /** Throws `JOB_NOT_FOUND`, `EXECUTION_NOT_FOUND`, `LOGS_UNAVAILABLE`, and `STOPPING` when it breaks off. */
  logs(jobId: string, options: JobLogsOptions, signal: AbortSignal): AsyncIterable<LogPart>;
  /** UnixFS directories of the job's completed (or failed, where there is output) executions, by partition. */
  results(
    jobId: string,
  ): Promise<readonly { readonly executionId: string; readonly partition: number; readonly cid: string }[]>;
}
