import type { Bid, LockGrant } from '../../domain/market/bid.ts';
import type { ContractTerms } from '../../domain/market/contract.ts';
import type { Execution } from '../../domain/market/execution.ts';
import type { Job } from '../../domain/job/job.ts';
import type { Invocation } from '../../domain/program/task.ts';
import { contentIdOf, encodeCanonical } from '../../lib/canonical.ts';
import type { OrchestratorLimits } from '../options.ts';

/** What one partition's provider is to run. */
export function invocationOf(job: Job, partition: number): Invocation {
  const { engine, inputs, outputs, count } = job.spec;
  return { engine, inputs, outputs, partition, partitionCount: count };
}

/** The terms for one execution, from the job, the bid that won and the lock it holds. */
export function buildTerms(
  job: Job,
  execution: Execution,
  bid: Bid,
  lock: LockGrant,
  requesterRecord: Uint8Array,
  limits: OrchestratorLimits,
  { acceptWithinMs, proposedAt }: Pick<ContractTerms, 'acceptWithinMs' | 'proposedAt'>,
): ContractTerms {
  return {
    jobId: job.id,
    jobDigest: job.digest,
    executionId: execution.id,
    partition: execution.partition,
    attempt: execution.attempt,
    requester: job.submitter,
    provider: execution.provider,
    bidId: execution.bidId,
    lockId: lock.lockId,
    lockVersion: lock.version,
    resources: job.spec.resources,
    price: bid.price,
    time: bid.time,
    invocationDigest: contentIdOf(encodeCanonical(invocationOf(job, execution.partition))),
    acceptWithinMs,
    startWithinMs: Math.min(job.spec.timeouts.startMs, bid.time.startWithinMs),
    executionTimeoutMs: job.spec.timeouts.executionMs,
    orphanAfterMs: limits.orphanAfterMs,
    retentionMs: limits.retentionMs,
    superseded: 'nothing',
    maxOutputBytes: limits.maxOutputBytes,
    requesterRecord,
    providerRecord: bid.providerRecord,
    proposedAt,
  };
}
