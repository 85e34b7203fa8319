import type { Advert } from '../../../src/domain/market/advert.ts';
import type { Bid, BidRequest, Decline, JobRequest } from '../../../src/domain/market/bid.ts';
import type { ContractTerms, Proposal, SignedContract } from '../../../src/domain/market/contract.ts';
import type { Notary } from '../../../src/domain/market/evidence.ts';
import type { ServingList } from '../../../src/domain/market/serving.ts';
import type { Invocation } from '../../../src/domain/program/task.ts';
import { contractIdOf } from '../../../src/messages/contract-terms.ts';
import { invocationDigestOf } from '../../../src/messages/invocation.ts';

export const SOME_CID = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';
const RECORD = new Uint8Array([1, 2, 3]);

export const invocation: Invocation = {
  engine: { type: 'wasm', module: { cid: SOME_CID, size: 10 }, args: ['a'], env: { K: 'v' }, stdin: '' },
  inputs: [{ target: '/inputs/a', content: { cid: SOME_CID, size: 3 } }],
  outputs: [{ name: 'out', path: '/outputs' }],
  partition: 0,
  partitionCount: 1,
};

const resources = {
  cpuMillis: 500,
  memoryBytes: 2 ** 28,
  diskBytes: 2 ** 28,
  gpus: [{ count: 1, vendor: 'nvidia', vramBytes: 2 ** 35 }],
};

export function bidRequest(over: Partial<BidRequest> = {}): BidRequest {
  return {
    requestId: 'request-1',
    jobId: 'job-1',
    jobDigest: SOME_CID,
    round: 0,
    requirements: {
      resources,
      engine: { type: 'wasm' },
      constraints: {
        hard: [{ key: 'location.country', operator: 'In', values: ['DE', 'FR'] }],
        soft: [{ key: 'cpu.cores', operator: 'Gt', values: ['8'], weight: 10 }],
      },
      executionTimeoutMs: 600_000,
    },
    budget: { amount: '0.10', currency: 'USD', per: 'hour' },
    slots: 1,
    wantedBids: 3,
    windowMs: 5000,
    answerShare: 0.5,
    answerAlways: true,
    exclude: [],
    requesterRecord: RECORD,
    ...over,
  };
}

export function bid(over: Partial<Bid> = {}): Bid {
  return {
    bidId: 'bid-1',
    requestId: 'request-1',
    jobId: 'job-1',
    price: { amount: '0.05', currency: 'USD', per: 'hour' },
    time: { durationMs: 600_000, startWithinMs: 5000 },
    validForMs: 30_000,
    slots: 2,
    comparison: {
      fields: [{ field: 'memory', required: '1', available: '2', result: 'Better', hard: true }],
      hardOk: true,
      softScore: 1000,
    },
    load: 0.25,
    providerRecord: RECORD,
    ...over,
  };
}

const amounts = {
  cpuMillis: 4000,
  memoryBytes: 2 ** 33,
  diskBytes: 2 ** 36,
  gpus: [
    {
      count: 2,
      vendor: 'nvidia' as const,
      model: 'NVIDIA A100',
      vramBytes: 40 * 2 ** 30,
      driver: '550.54.14',
      computeCapability: '8.0',
    },
  ],
};

export function advert(over: Partial<Advert> = {}): Advert {
  return {
    nodeVersion: '1.2.3',
    cpu: { cores: 4, arch: 'x64', model: 'AMD EPYC 7763', vendor: 'AuthenticAMD' },
    engines: { wasm: '1.0.0' },
    runtimes: { python: '3.12.0' },
    labels: { zone: 'a' },
    location: { continent: 'EU', country: 'DE' },
    onboarded: amounts,
    free: { ...amounts, cpuMillis: 2000 },
    price: { amount: '0.05', currency: 'USD', per: 'hour' },
    draining: false,
    validForMs: 45_000,
    sequence: 1,
    providerRecord: RECORD,
    ...over,
  };
}

export function decline(over: Partial<Decline> = {}): Decline {
  return {
    requestId: 'request-1',
    jobId: 'job-1',
    stage: 'bid',
    code: 'BUSY',
    message: 'No capacity is free.',
    retryable: true,
    ...over,
  };
}

export function jobRequest(over: Partial<JobRequest> = {}): JobRequest {
  return { requestId: 'request-1', bidId: 'bid-1', executionId: 'job-1.v1.p0r0.a0', attempt: 0, ...over };
}

export function terms(requester: string, provider: string, over: Partial<ContractTerms> = {}): ContractTerms {
  return {
    jobId: 'job-1',
    jobDigest: SOME_CID,
    executionId: 'job-1.v1.p0r0.a0',
    partition: 0,
    attempt: 0,
    requester,
    provider,
    bidId: 'bid-1',
    lockId: 'lock-1',
    lockVersion: 7,
    resources,
    price: { amount: '0.05', currency: 'USD', per: 'hour' },
    time: { durationMs: 600_000, startWithinMs: 5000 },
    invocationDigest: invocationDigestOf(invocation),
    acceptWithinMs: 5000,
    startWithinMs: 60_000,
    executionTimeoutMs: 600_000,
    orphanAfterMs: 60_000,
    retentionMs: 3_600_000,
    superseded: 'nothing',
    maxOutputBytes: 2 ** 20,
    requesterRecord: RECORD,
    providerRecord: RECORD,
    proposedAt: 1_700_000_000_000,
    ...over,
  };
}

export function proposal(requester: Notary, provider: string, over: Partial<ContractTerms> = {}): Proposal {
  return { terms: requester.sign('contract-terms', terms(requester.self, provider, over)), invocation };
}

export function signedContract(proposed: Proposal, provider: Notary): SignedContract {
  return {
    contractId: contractIdOf(proposed.terms),
    terms: proposed.terms,
    providerSignature: provider.countersign(proposed.terms),
  };
}

export function servingList(number: number): ServingList {
  return {
    number,
    items: [
      {
        executionId: 'job-1.v1.p0r0.a0',
        contractId: SOME_CID,
        attempt: 0,
        sequence: 3,
        state: 'Publishing',
        startedAt: 1,
        exitCode: 0,
        exitReason: 'completed',
        usage: { wallClockMs: 5, cpuMs: 4 },
      },
    ],
  };
}
