import type { Bid, BidRequest, Decline, LockGrant } from '../../../src/domain/market/bid.ts';
import type { ContractRecord, ContractTerms } from '../../../src/domain/market/contract.ts';
import type { EndReason } from '../../../src/domain/market/end-reason.ts';
import type { Evidence, EvidenceType, Notary } from '../../../src/domain/market/evidence.ts';
import {
  type Execution,
  type ExecutionEnd,
  executionIdOf,
  type Observed,
} from '../../../src/domain/market/execution.ts';
import type { Job, JobSpec } from '../../../src/domain/job/job.ts';
import {
  EMPTY_INDEX,
  type EligibleComputeProviderData,
  type Search,
} from '../../../src/domain/market/search.ts';
import type { ServingItem } from '../../../src/domain/market/serving.ts';
import { contentIdOf, encodeCanonical } from '../../../src/lib/canonical.ts';

export const NOW = 1_700_000_000_000;
export const REQUESTER = 'requester';
export const PRICE = { amount: '0.02', currency: 'USD', per: 'hour' } as const;
export const RESOURCES = { cpuMillis: 500, memoryBytes: 1024, diskBytes: 1024, gpus: [] };
export const MODULE_CID = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';

/** Signs nothing, so a test sees at a glance who said what. */
export function notaryOf(self: string): Notary {
  return {
    self,
    sign: (type, value) => evidence(type, value, self),
    countersign: () => Uint8Array.of(1),
  };
}

export function evidence<Value>(type: EvidenceType, value: Value, signer: string): Evidence<Value> {
  return { type, value, payload: encodeCanonical(value), signature: Uint8Array.of(0), signer };
}

function specOf(changes: Partial<JobSpec> = {}): JobSpec {
  return {
    name: 'job',
    type: 'batch',
    count: 1,
    priority: 50,
    labels: {},
    engine: { type: 'wasm', module: { cid: MODULE_CID, size: 8 }, args: [], env: {}, stdin: '' },
    resources: RESOURCES,
    constraints: { hard: [], soft: [] },
    prefer: 'balanced',
    timeouts: {
      searchMs: 5000,
      queueMs: 0,
      lockMs: 5000,
      contractMs: 5000,
      startMs: 300_000,
      executionMs: 600_000,
      totalMs: 3_600_000,
    },
    retry: { attempts: 3, backoffMs: 1000, on: ['lost', 'internal'] },
    orchestrationType: 'pull',
    preferredProviders: [],
    excludedProviders: [],
    inputs: [],
    outputs: [],
    ...changes,
  };
}

export function jobOf(changes: Partial<Omit<Job, 'spec'>> & { readonly spec?: Partial<JobSpec> } = {}): Job {
  const { spec, ...rest } = changes;
  return {
    id: 'job',
    version: 1,
    digest: contentIdOf(encodeCanonical('spec')),
    namespace: 'default',
    submitter: REQUESTER,
    spec: specOf(spec),
    createdAt: NOW,
    state: 'Pending',
    ...rest,
  };
}

export function bidOf(provider: string, changes: Partial<Bid> = {}): Evidence<Bid> {
  return evidence(
    'bid',
    {
      bidId: `bid-of-${provider}`,
      requestId: 'round-1',
      jobId: 'job',
      price: PRICE,
      time: { durationMs: 600_000, startWithinMs: 300_000 },
      validForMs: 30_000,
      slots: 1,
      comparison: { fields: [], hardOk: true, softScore: 1000 },
      load: 0,
      providerRecord: Uint8Array.of(2),
      ...changes,
    },
    provider,
  );
}

export function declineOf(provider: string, changes: Partial<Decline> = {}): Evidence<Decline> {
  return evidence(
    'decline',
    {
      requestId: 'round-1',
      jobId: 'job',
      stage: 'bid',
      code: 'INSUFFICIENT_RESOURCES',
      message: 'no',
      retryable: true,
      ...changes,
    },
    provider,
  );
}

export function requestOf(changes: Partial<BidRequest> = {}): BidRequest {
  return {
    requestId: 'round-1',
    jobId: 'job',
    jobDigest: jobOf().digest,
    round: 1,
    requirements: {
      resources: RESOURCES,
      engine: { type: 'wasm' },
      constraints: { hard: [], soft: [] },
      executionTimeoutMs: 600_000,
    },
    slots: 1,
    wantedBids: 3,
    windowMs: 5000,
    answerShare: 1,
    answerAlways: true,
    exclude: [],
    requesterRecord: Uint8Array.of(1),
    ...changes,
  };
}

/** A bid in the index. */
export function entryOf(provider: string, changes: Partial<Bid> = {}): EligibleComputeProviderData {
  return { provider, bid: bidOf(provider, changes), receivedAt: NOW, score: 500, ranks: [] };
}

/** A closed round with bids of these providers, best first. */
export function roundOf(
  entries: readonly EligibleComputeProviderData[],
  changes: Partial<Search> = {},
): Search {
  return {
    requestId: 'round-1',
    jobId: 'job',
    round: 1,
    state: 'closed',
    slots: 1,
    exclude: [],
    openedAt: NOW,
    closedAt: NOW,
    closeReason: 'everyone-answered',
    fruitlessRounds: 1,
    fruitlessSince: NOW,
    seenAtLeast: entries.length,
    index: { ...EMPTY_INDEX, entries },
    ...changes,
  };
}

export const LOCK: LockGrant = { lockId: 'lock', version: 1, ttlMs: 30_000 };

export function endOf(
  exitReason: ExecutionEnd['exitReason'],
  changes: Partial<ExecutionEnd> = {},
): ExecutionEnd {
  return { finishedAt: NOW, exitReason, why: saidBy(exitReason), ...changes };
}

/** What a provider says of an end. */
export function saidBy(text: string): EndReason {
  return { code: 'provider-said', data: { text } };
}

/** Observed states with what belongs to them. */
export const observedAs = {
  new: (): Observed => ({ state: 'New' }),
  asking: (): Observed => ({ state: 'AskForBid', askedAt: NOW }),
  locked: (): Observed => ({ state: 'AskForBidAccepted', lock: LOCK }),
  accepted: (contractId = 'contract'): Observed => ({ state: 'BidAccepted', contractId }),
  running: (contractId = 'contract'): Observed => ({ state: 'Running', contractId, startedAt: NOW }),
  publishing: (contractId = 'contract'): Observed => ({
    state: 'Publishing',
    contractId,
    end: endOf('completed'),
  }),
  completed: (contractId = 'contract'): Observed => ({
    state: 'Completed',
    contractId,
    resultCid: MODULE_CID,
    resultBytes: 1,
    end: endOf('completed'),
  }),
  failed: (exitReason: ExecutionEnd['exitReason'], contractId?: string): Observed => ({
    state: 'Failed',
    ...(contractId === undefined ? {} : { contractId }),
    end: endOf(exitReason),
  }),
  declined: (): Observed => ({ state: 'AskForBidRejected', end: endOf('denied') }),
  rejected: (): Observed => ({ state: 'BidRejected', end: endOf('denied') }),
  cancelled: (contractId?: string): Observed => ({
    state: 'Cancelled',
    ...(contractId === undefined ? {} : { contractId }),
    end: endOf('cancelled'),
  }),
};

export function executionOf(
  partition: number,
  attempt: number,
  provider: string,
  observed: Observed,
  changes: Partial<Execution> = {},
): Execution {
  const contractId = 'contractId' in observed ? observed.contractId : undefined;
  return {
    id: executionIdOf('job', 1, { partition, replica: 0 }, attempt),
    jobId: 'job',
    jobVersion: 1,
    partition,
    attempt,
    provider,
    requestId: 'round-1',
    bidId: `bid-of-${provider}`,
    price: PRICE,
    createdAt: NOW,
    desired: 'end' in observed && observed.state !== 'Publishing' ? 'Stopped' : 'Pending',
    observed,
    sequence: 0,
    lastSeenAt: NOW,
    ...(contractId === undefined ? {} : { contractId }),
    ...changes,
  };
}

export function termsOf(changes: Partial<ContractTerms> = {}): ContractTerms {
  return {
    jobId: 'job',
    jobDigest: jobOf().digest,
    executionId: executionIdOf('job', 1, { partition: 0, replica: 0 }, 1),
    partition: 0,
    attempt: 1,
    requester: REQUESTER,
    provider: 'provider',
    bidId: 'bid-of-provider',
    lockId: 'lock',
    lockVersion: 1,
    resources: RESOURCES,
    price: PRICE,
    time: { durationMs: 600_000, startWithinMs: 300_000 },
    invocationDigest: contentIdOf(encodeCanonical('invocation')),
    acceptWithinMs: 5000,
    startWithinMs: 300_000,
    executionTimeoutMs: 600_000,
    orphanAfterMs: 600_000,
    retentionMs: 3_600_000,
    superseded: 'nothing',
    maxOutputBytes: 1024,
    requesterRecord: Uint8Array.of(1),
    providerRecord: Uint8Array.of(2),
    proposedAt: NOW,
    ...changes,
  };
}

export function contractOf(
  contractId: string,
  changes: Partial<ContractRecord> = {},
  terms: Partial<ContractTerms> = {},
): ContractRecord {
  const value = termsOf(terms);
  return {
    contractId,
    executionId: value.executionId,
    jobId: value.jobId,
    state: 'ACCEPTED',
    terms: evidence('contract-terms', value, value.requester),
    updatedAt: NOW,
    ...changes,
  };
}

export function itemOf(state: ServingItem['state'], changes: Partial<ServingItem> = {}): ServingItem {
  return {
    executionId: executionIdOf('job', 1, { partition: 0, replica: 0 }, 1),
    contractId: 'contract',
    attempt: 1,
    sequence: 2,
    state,
    ...changes,
  };
}
