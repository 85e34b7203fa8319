import type { ContractNever, ContractRecord, ContractTerms } from '../../../src/domain/market/contract.ts';
import type { Evidence } from '../../../src/domain/market/evidence.ts';
import type { Execution } from '../../../src/domain/market/execution.ts';
import type { JobReason } from '../../../src/domain/job/job-reason.ts';
import type { Job, JobSpec, JobState } from '../../../src/domain/job/job.ts';
import type { Lease } from '../../../src/domain/market/lock.ts';
import { EMPTY_INDEX, type Search } from '../../../src/domain/market/search.ts';
import type { JobCommit } from '../../../src/orchestrator/ports.ts';
import type { BidAnswer, ProviderExecution } from '../../../src/provider/ports.ts';

const NO_REQUIREMENTS = { cpuMillis: 500, memoryBytes: 1024, diskBytes: 1024, gpus: [] };
const ENGINE = {
  type: 'wasm',
  module: { cid: 'bafkmodule', size: 8 },
  args: [],
  env: {},
  stdin: '',
} as const;

const SPEC: JobSpec = {
  name: 'hello',
  type: 'batch',
  count: 1,
  priority: 50,
  labels: {},
  engine: ENGINE,
  resources: NO_REQUIREMENTS,
  constraints: { hard: [], soft: [] },
  prefer: 'balanced',
  timeouts: {
    searchMs: 1,
    queueMs: 0,
    lockMs: 1,
    contractMs: 1,
    startMs: 1,
    executionMs: 1,
    totalMs: 1,
  },
  retry: { attempts: 1, backoffMs: 1, on: [] },
  orchestrationType: 'pull',
  preferredProviders: [],
  excludedProviders: [],
  inputs: [],
  outputs: [],
};

export function job(
  id: string,
  changes: {
    readonly state?: JobState;
    readonly createdAt?: number;
    readonly finishedAt?: number;
    readonly why?: JobReason;
    readonly spec?: Partial<JobSpec>;
  } = {},
): Job {
  const { spec, ...rest } = changes;
  return {
    id,
    version: 1,
    digest: 'bafydigest',
    namespace: 'default',
    submitter: 'me',
    spec: { ...SPEC, ...spec },
    createdAt: 1000,
    state: 'Pending',
    ...rest,
  };
}

export function told(text: string): { readonly code: 'unknown'; readonly data: { readonly text: string } } {
  return { code: 'unknown', data: { text } };
}

export function created(id: string, changes: Parameters<typeof job>[1] = {}): JobCommit {
  return { jobId: id, revision: 0, job: job(id, changes), events: [{ type: 'job.posted', at: 1 }] };
}

export function execution(jobId: string, partition: number, attempt: number): Execution {
  return {
    id: `${jobId}.v1.p${partition}r0.a${attempt}`,
    jobId,
    jobVersion: 1,
    partition,
    attempt,
    provider: 'peer',
    requestId: 'request',
    bidId: 'bid',
    price: { amount: '0.1', currency: 'USD', per: 'hour' },
    createdAt: 1,
    desired: 'Running',
    observed: { state: 'New' },
    sequence: 0,
    lastSeenAt: 1,
  };
}

export function ended(live: Execution): Execution {
  return {
    ...live,
    observed: { state: 'Cancelled', end: { finishedAt: 1, exitReason: 'cancelled', why: told('over') } },
  };
}

export function search(jobId: string, round: number): Search {
  return {
    requestId: `request-${round}`,
    jobId,
    round,
    state: 'open',
    slots: 1,
    openedAt: 1,
    seenAtLeast: 0,
    exclude: [],
    fruitlessRounds: 0,
    fruitlessSince: 1,
    index: EMPTY_INDEX,
  };
}

export function contract(
  jobId: string,
  contractId: string,
  changes: { readonly proposedAt?: number } & Partial<Pick<ContractRecord, 'state' | 'updatedAt'>> = {},
): ContractRecord {
  const { proposedAt = 1, ...rest } = changes;
  const terms: ContractTerms = {
    jobId,
    jobDigest: 'bafydigest',
    executionId: `${jobId}.v1.p0r0.a1`,
    partition: 0,
    attempt: 1,
    requester: 'me',
    provider: 'peer',
    bidId: 'bid',
    lockId: 'lock',
    lockVersion: 1,
    resources: NO_REQUIREMENTS,
    price: { amount: '0.1', currency: 'USD', per: 'hour' },
    time: { durationMs: 1, startWithinMs: 1 },
    invocationDigest: 'bafyinvocation',
    acceptWithinMs: 1,
    startWithinMs: 1,
    executionTimeoutMs: 1,
    orphanAfterMs: 1,
    retentionMs: 1,
    superseded: 'nothing',
    maxOutputBytes: 1,
    requesterRecord: Uint8Array.of(1, 2),
    providerRecord: Uint8Array.of(3),
    proposedAt,
  };
  return {
    contractId,
    executionId: terms.executionId,
    jobId,
    state: 'PROPOSED',
    terms: {
      type: 'contract-terms',
      value: terms,
      payload: Uint8Array.of(9, 8, 7),
      signature: Uint8Array.of(6, 5),
      signer: 'me',
    },
    updatedAt: 1,
    ...rest,
  };
}

export function never(contractId: string): Evidence<ContractNever> {
  return {
    type: 'contract-never',
    value: { contractId, reason: 'too late' },
    payload: Uint8Array.of(1),
    signature: Uint8Array.of(2),
    signer: 'peer',
  };
}

export function lease(lockId: string, version: number, state: Lease['state'] = 'held'): Lease {
  return {
    lockId,
    holder: 'requester',
    jobId: 'job',
    executionId: 'job.v1.p0r0.a1',
    resources: { cpuMillis: 1, memoryBytes: 1, diskBytes: 1, gpus: [] },
    version,
    acquiredAt: 1,
    ttlMs: 1,
    state,
  };
}

export function providerExecution(executionId: string): ProviderExecution {
  return {
    item: { executionId, contractId: 'bafycontract', attempt: 1, sequence: 0, state: 'Running' },
    requester: 'requester',
    requesterRecord: Uint8Array.of(1),
    jobId: 'job',
    lockId: 'lock',
    invocation: { engine: ENGINE, inputs: [], outputs: [], partition: 0, partitionCount: 1 },
    acceptedAt: 1,
    settled: false,
  };
}

export function answer(requestId: string, answeredAt: number): BidAnswer {
  return {
    requestId,
    requester: 'requester',
    bidId: 'bid',
    comparison: { fields: [], hardOk: true, softScore: 1000 },
    answeredAt,
  };
}
