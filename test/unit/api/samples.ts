import type { PeerLine } from '../../../src/api/index.ts';
import type { Bid } from '../../../src/domain/market/bid.ts';
import type { ContractRecord, ContractTerms } from '../../../src/domain/market/contract.ts';
import type { Evidence, EvidenceType } from '../../../src/domain/market/evidence.ts';
import type { Execution, Observed } from '../../../src/domain/market/execution.ts';
import type { Explanation } from '../../../src/domain/explain/explanation.ts';
import type { JobEvent, JobEventType } from '../../../src/domain/job/job-event.ts';
import type { JobReason } from '../../../src/domain/job/job-reason.ts';
import type { JobState } from '../../../src/domain/job/job.ts';
import type { JobSnapshot } from '../../../src/domain/job/plan.ts';
import type { Search } from '../../../src/domain/market/search.ts';

export const CREATED_AT = Date.UTC(2030, 0, 1);
export const SOME_CID = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy';

export function job(engine: object = { type: 'wasm', params: { module: { cid: SOME_CID } } }): object {
  return { name: 'hello', engine };
}

/** A reason of which only the sentence is known. */
export function told(text: string): {
  readonly code: 'unknown';
  readonly data: { readonly text: string };
} {
  return { code: 'unknown', data: { text } };
}

export function jobSnapshot(
  changes: { readonly state?: JobState; readonly why?: JobReason; readonly count?: number } = {},
  executions: readonly Execution[] = [],
): JobSnapshot {
  return {
    job: {
      id: 'job-1',
      version: 1,
      digest: 'digest',
      namespace: 'default',
      submitter: 'peer-self',
      createdAt: CREATED_AT,
      state: changes.state ?? 'Running',
      ...(changes.why === undefined ? {} : { why: changes.why }),
      spec: {
        name: 'hello',
        type: 'batch',
        count: changes.count ?? 1,
        priority: 50,
        labels: {},
        engine: { type: 'wasm', module: { cid: SOME_CID, size: 1 }, args: [], env: {}, stdin: '' },
        resources: { cpuMillis: 500, memoryBytes: 1, diskBytes: 1, gpus: [] },
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
      },
    },
    executions,
    revision: 1,
  };
}

export function execution(observed: Observed, changes: Partial<Execution> = {}): Execution {
  return {
    id: 'job-1.v1.p0r0.a1',
    jobId: 'job-1',
    jobVersion: 1,
    partition: 0,
    attempt: 1,
    provider: 'peer-a',
    requestId: 'request-1',
    bidId: 'bid-a',
    price: { amount: '0.02', currency: 'USD', per: 'hour' },
    createdAt: CREATED_AT,
    desired: 'Running',
    observed,
    sequence: 0,
    lastSeenAt: CREATED_AT,
    ...changes,
  };
}

function evidence<Value>(type: EvidenceType, value: Value, signer: string): Evidence<Value> {
  return { type, value, payload: new Uint8Array([1]), signature: new Uint8Array([2, 3]), signer };
}

function bid(bidId: string, locked: boolean): Bid {
  return {
    bidId,
    requestId: 'request-1',
    jobId: 'job-1',
    price: { amount: '0.02', currency: 'USD', per: 'hour' },
    time: { durationMs: 1000, startWithinMs: 1000 },
    validForMs: 1000,
    slots: 1,
    comparison: { fields: [], hardOk: true, softScore: 1000 },
    load: 0,
    ...(locked ? { lock: { lockId: 'lock-1', version: 1, ttlMs: 1000 } } : {}),
    providerRecord: new Uint8Array([9]),
  };
}

/** Each bidder is `[provider, bid id, score]`. */
export function search(
  round: number,
  bidders: readonly (readonly [string, string, number])[],
  locked = false,
): Search {
  return {
    requestId: `request-${round}`,
    jobId: 'job-1',
    round,
    state: 'closed',
    slots: 1,
    openedAt: CREATED_AT,
    seenAtLeast: bidders.length,
    exclude: [],
    fruitlessRounds: 0,
    fruitlessSince: CREATED_AT,
    index: {
      declines: [],
      refused: [],
      entries: bidders.map(([provider, bidId, score]) => ({
        provider,
        bid: evidence('bid', bid(bidId, locked), provider),
        receivedAt: CREATED_AT,
        score,
        ranks: [{ name: 'price', value: 1000, weight: 2, why: told('the cheapest') }],
      })),
    },
  };
}

export function contract(): ContractRecord {
  const terms: ContractTerms = {
    jobId: 'job-1',
    jobDigest: 'digest',
    executionId: 'job-1.v1.p0r0.a1',
    partition: 0,
    attempt: 1,
    requester: 'peer-self',
    provider: 'peer-a',
    bidId: 'bid-a',
    lockId: 'lock-1',
    lockVersion: 1,
    resources: { cpuMillis: 500, memoryBytes: 1, diskBytes: 1, gpus: [] },
    price: { amount: '0.02', currency: 'USD', per: 'hour' },
    time: { durationMs: 1000, startWithinMs: 1000 },
    invocationDigest: 'digest',
    acceptWithinMs: 1,
    startWithinMs: 1,
    executionTimeoutMs: 1,
    orphanAfterMs: 1,
    retentionMs: 1,
    superseded: 'nothing',
    maxOutputBytes: 1,
    requesterRecord: new Uint8Array([255, 0]),
    providerRecord: new Uint8Array([1]),
    proposedAt: CREATED_AT,
  };
  return {
    contractId: 'contract-1',
    executionId: 'job-1.v1.p0r0.a1',
    jobId: 'job-1',
    state: 'ACCEPTED',
    terms: evidence('contract-terms', terms, 'peer-self'),
    providerSignature: new Uint8Array([4, 5]),
    updatedAt: CREATED_AT,
  };
}

export function event(seq: number, type: JobEventType = 'bid.received'): JobEvent {
  return { seq, type, at: CREATED_AT + seq };
}

/** What an advert adds to a line of the peer table. */
export function peerAdvert(): Pick<
  PeerLine,
  'version' | 'engines' | 'runtimes' | 'labels' | 'location' | 'free' | 'price' | 'draining'
> {
  return {
    version: '0.1.0',
    engines: { wasm: '1.0.0' },
    runtimes: { python: '3.12.0' },
    labels: { zone: 'a' },
    location: { country: 'DE', city: 'Bonn' },
    free: {
      cpuMillis: 1500,
      memoryBytes: 2 ** 30,
      diskBytes: 2 ** 33,
      gpus: [{ vendor: 'nvidia', model: 'A100', vramBytes: 40 * 2 ** 30, count: 2 }],
    },
    price: { amount: '0.02', currency: 'USD', per: 'hour' },
    draining: false,
  };
}

/** Of a job that found nobody, unless it is told otherwise. */
export function explanation(changes: Partial<Explanation> = {}): Explanation {
  return {
    placed: false,
    candidates: [],
    seenAtLeast: 3,
    declines: [{ code: 'CONSTRAINT_UNMET', field: 'gpu.vram', count: 3 }],
    nearest: { field: 'gpu.vram', required: '24 GiB', available: '16 GiB', providers: 3 },
    suggestions: [
      {
        code: 'ask-less',
        data: { field: 'gpu.vram', required: '24 GiB', available: '16 GiB', providers: 3 },
      },
    ],
    ...changes,
  };
}

export function placedExplanation(): Explanation {
  const price = { amount: '0.02', currency: 'USD', per: 'hour' } as const;
  return explanation({
    placed: true,
    winner: {
      provider: 'peer-a',
      executionId: 'job-1.v1.p0r0.a1',
      score: 900,
      why: { code: 'only-bid', data: {} },
    },
    candidates: [
      {
        provider: 'peer-a',
        score: 900,
        ranks: [
          { name: 'load', value: 500, weight: 1, why: told('half full') },
          { name: 'price', value: 1000, weight: 4, why: told('the cheapest') },
        ],
        price,
        locked: true,
      },
      { provider: 'peer-b', score: 800, ranks: [], price, locked: false },
    ],
    declines: [],
    suggestions: [],
  });
}
