import type { ContractRecord } from '../domain/market/contract.ts';
import type { Execution } from '../domain/market/execution.ts';
import type { JobEvent } from '../domain/job/job-event.ts';
import type { Job } from '../domain/job/job.ts';
import type { JobSnapshot } from '../domain/job/plan.ts';
import type { Search } from '../domain/market/search.ts';
import { assert } from '../lib/assert.ts';
import type { JobCommit } from '../orchestrator/ports.ts';
import type { Operation } from './database.ts';
import type { JobRecords } from './job-records.ts';

/** What must be known of a job to change it, besides its snapshot. */
export interface JobHead {
  readonly jobId: string;
  readonly revision: number;
  readonly lastSeq: number;
  /** Time of the last event; not known of jobs from version 0.1.0 until their next one. */
  readonly lastEventAt?: number;
  /** 0 when there was no search. */
  readonly lastRound: number;
  readonly idempotencyKey?: string;
}

export interface JobAggregate {
  readonly head: JobHead;
  readonly snapshot: JobSnapshot;
  /** The newest events, up to the last one; what is before them is on disk only. */
  readonly recentEvents: readonly JobEvent[];
  /** About what it takes in memory. */
  readonly sizeBytes: number;
}

export interface JobChange {
  readonly next: JobAggregate;
  readonly events: readonly JobEvent[];
  /** One batch. */
  readonly operations: readonly Operation[];
}

const EXECUTION_BYTES = 1024;
const EVENT_BYTES = 256;
/** Whoever follows a job from its start finds them in memory. */
const RECENT_EVENTS = 64;
const FRAME_BYTES = 1024;
const WORDS_PER_BYTE = 4;

/** The job after `commit`, and how to write it. Pure: `current` stays as it is. */
export function changeJob(
  records: JobRecords,
  current: JobAggregate | undefined,
  commit: JobCommit,
): JobChange {
  const { jobId } = commit;
  const job = commit.job ?? current?.snapshot.job;
  assert(job !== undefined, 'the first commit of a job holds the job');
  checkOwnership(commit, current?.snapshot.job);
  const operations: Operation[] = [];
  if (commit.job !== undefined) operations.push(records.jobs.put(commit.job));
  operations.push(...records.index.change(current?.snapshot.job, job));
  for (const execution of commit.executions ?? []) operations.push(records.executions.put(execution));
  if (commit.search !== undefined) operations.push(records.searches.put(commit.search));
  for (const contract of commit.contracts ?? []) {
    operations.push(
      records.contracts.put(contract),
      records.contractOwners.put({ contractId: contract.contractId, jobId }),
      contract.state === 'PROPOSED'
        ? records.proposed.put(contract.contractId)
        : records.proposed.remove(contract.contractId),
    );
  }
  if (commit.idempotency !== undefined) {
    operations.push(records.idempotency.put({ ...commit.idempotency, jobId }));
  }
  const events = numberEvents(commit, current);
  for (const event of events) operations.push(records.events.put({ jobId, event }));
  const idempotencyKey = commit.idempotency?.key ?? current?.head.idempotencyKey;
  const head: JobHead = {
    jobId,
    revision: commit.revision + 1,
    lastSeq: events.at(-1)?.seq ?? current?.head.lastSeq ?? 0,
    lastEventAt: events.at(-1)?.at ?? current?.head.lastEventAt ?? 0,
    lastRound: Math.max(commit.search?.round ?? 0, current?.head.lastRound ?? 0),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  };
  operations.push(records.heads.put(head));
  const executions = mergeExecutions(current?.snapshot.executions ?? [], commit.executions ?? []);
  const search = newerSearch(current?.snapshot.search, commit.search);
  const recent = [...(current?.recentEvents ?? []), ...events].slice(-RECENT_EVENTS);
  return { next: aggregateOf(head, job, executions, search, recent), events, operations };
}

/** Puts an aggregate together, out of a change or out of what was read. */
export function aggregateOf(
  head: JobHead,
  job: Job,
  executions: readonly Execution[],
  search: Search | undefined,
  recentEvents: readonly JobEvent[] = [],
): JobAggregate {
  const snapshot: JobSnapshot = {
    job,
    executions,
    revision: head.revision,
    ...(search === undefined ? {} : { search }),
  };
  return { head, snapshot, recentEvents, sizeBytes: estimateBytes(snapshot, recentEvents.length) };
}

/** By partition, then attempt; then by what tells two of those apart. */
export function compareExecutions(a: Execution, b: Execution): number {
  return (
    a.partition - b.partition ||
    a.attempt - b.attempt ||
    a.jobVersion - b.jobVersion ||
    (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
  );
}

function checkOwnership(commit: JobCommit, before: Job | undefined): void {
  const { jobId, job } = commit;
  if (job !== undefined) {
    assert(job.id === jobId, 'a job is committed under another id');
    assert(before === undefined || before.createdAt === job.createdAt, 'a job changes the time it was made');
  }
  const parts: readonly (Execution | Search | ContractRecord | undefined)[] = [
    ...(commit.executions ?? []),
    ...(commit.contracts ?? []),
    commit.search,
  ];
  for (const part of parts) {
    assert(part === undefined || part.jobId === jobId, 'a part of another job is in the commit');
  }
  assert(commit.search === undefined || commit.search.round > 0, 'search rounds count from 1');
  assert(
    commit.idempotency === undefined || commit.revision === 0,
    'an idempotency key comes with a new job only',
  );
}

/**
 * In the order of their times. What is told late, as a bid of a search that closed meanwhile, is given the time of what was
 * told before it: nobody who reads on from an event may find an earlier one behind it.
 */
function numberEvents(commit: JobCommit, current: JobAggregate | undefined): readonly JobEvent[] {
  const lastSeq = current?.head.lastSeq ?? 0;
  const lastAt = current?.head.lastEventAt ?? 0;
  return commit.events
    .toSorted((a, b) => a.at - b.at)
    .map((draft, index) => ({ ...draft, at: Math.max(draft.at, lastAt), seq: lastSeq + index + 1 }));
}

function mergeExecutions(before: readonly Execution[], changed: readonly Execution[]): readonly Execution[] {
  if (changed.length === 0) return before;
  const merged = [...before];
  let added = false;
  for (const execution of changed) {
    const place = placeOf(before, execution);
    if (place === undefined) {
      merged.push(execution);
      added = true;
    } else {
      merged[place] = execution;
    }
  }
  if (!added) return merged;
  // The same new execution twice in one commit: the later one holds, as in the batch.
  const byId = new Map(merged.map((execution) => [execution.id, execution]));
  return [...byId.values()].sort(compareExecutions);
}

function placeOf(sorted: readonly Execution[], execution: Execution): number | undefined {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = sorted[middle];
    if (other !== undefined && compareExecutions(other, execution) < 0) low = middle + 1;
    else high = middle;
  }
  return sorted[low]?.id === execution.id ? low : undefined;
}

function newerSearch(before: Search | undefined, after: Search | undefined): Search | undefined {
  if (before === undefined || after === undefined) return after ?? before;
  return after.round >= before.round ? after : before;
}

function estimateBytes(snapshot: JobSnapshot, events: number): number {
  const { engine } = snapshot.job.spec;
  const stdin = typeof engine.stdin === 'string' ? engine.stdin : '';
  const texts = [stdin, ...engine.args, ...Object.values(engine.env)];
  const text = texts.reduce((sum, part) => sum + part.length, 0);
  const bids = snapshot.search?.index.entries ?? [];
  const evidence = bids.reduce((sum, entry) => sum + entry.bid.payload.length, 0);
  const records = snapshot.executions.length * EXECUTION_BYTES + events * EVENT_BYTES;
  return FRAME_BYTES + text + evidence * WORDS_PER_BYTE + records;
}
