import { beforeEach, describe, expect, it } from 'vitest';
import type { Bid } from '../../../../src/domain/market/bid.ts';
import type { ContractTerms } from '../../../../src/domain/market/contract.ts';
import { defaultOrchestratorLimits } from '../../../../src/orchestrator/options.ts';
import { checkProposal, type TermsLimits } from '../../../../src/provider/bidding/proposal-check.ts';
import { defaultProviderLimits } from '../../../../src/provider/options.ts';
import { REQUESTER } from '../../fakes/market.ts';
import { BiddingDesk, INVOCATION, PROVIDER } from './bidding-desk.ts';

let desk: BiddingDesk;
let bid: Bid;

beforeEach(async () => {
  desk = new BiddingDesk();
  bid = await desk.locked();
});

function check(
  changes: Partial<ContractTerms>,
  invocation = INVOCATION,
  signer = REQUESTER,
  limits?: TermsLimits,
) {
  const proposal = desk.proposal(bid, changes, invocation, signer);
  return checkProposal(
    proposal,
    { requester: REQUESTER, provider: PROVIDER },
    desk.bidder.bidOf(REQUESTER, bid.bidId),
    limits,
  );
}

describe('a proposal', () => {
  it('is good when it is what was bid', () => {
    expect(check({})).toBeUndefined();
    expect(check({ executionTimeoutMs: 1, startWithinMs: 1 })).toBeUndefined();
  });

  it.each([
    ['another requester', { requester: 'another' }, 'terms.requester'],
    ['another provider', { provider: 'another' }, 'terms.provider'],
    ['another job', { jobId: 'another', executionId: 'another.v1.p0r0.a1' }, 'terms.jobId'],
    ['another spec', { jobDigest: 'another' }, 'terms.jobId'],
    ['another price', { price: { amount: '0.01', currency: 'USD', per: 'hour' } }, 'terms.price'],
    [
      'other resources',
      { resources: { cpuMillis: 1, memoryBytes: 1, diskBytes: 1, gpus: [] } },
      'terms.resources',
    ],
    ['a longer time', { executionTimeoutMs: 600_001 }, 'terms.executionTimeoutMs'],
    ['a later start', { startWithinMs: 3_600_001 }, 'terms.executionTimeoutMs'],
    ['another invocation', { invocationDigest: 'another' }, 'terms.invocationDigest'],
    ['an execution id of another job', { executionId: 'other.v1.p0r0.a1' }, 'terms.executionId'],
    ['an execution id of another attempt', { executionId: 'job.v1.p0r0.a2' }, 'terms.executionId'],
    ['an execution id of another partition', { executionId: 'job.v1.p1r0.a1' }, 'terms.executionId'],
    ['an execution id without a version', { executionId: 'job.p0r0.a1' }, 'terms.executionId'],
    ['an execution id without a replica', { executionId: 'job.v1.p0.a1' }, 'terms.executionId'],
    ['an execution id whose replica has two names', { executionId: 'job.v1.p0r00.a1' }, 'terms.executionId'],
    ['a path as job id', { jobId: '../job', executionId: '../job.v1.p0r0.a1' }, 'terms.jobId'],
  ] as const)('is refused for %s', (_, changes, field) => {
    expect(check(changes)).toMatchObject({ code: 'INVALID', field, retryable: false });
  });

  it.each([
    ['orphanAfterMs', 'longestOrphanAfterMs'],
    ['retentionMs', 'longestRetentionMs'],
  ] as const)(
    'is refused when %s is longer than the provider allows, and says what it allows',
    (name, limit) => {
      const longestMs = defaultProviderLimits[limit];
      expect(check({ [name]: longestMs })).toBeUndefined();
      expect(check({ [name]: longestMs + 1 })).toMatchObject({
        code: 'POLICY',
        field: `terms.${name}`,
        required: `${longestMs + 1} ms`,
        available: `${longestMs} ms`,
        retryable: false,
      });
      const strict = { ...defaultProviderLimits, [limit]: 10 };
      expect(check({ [name]: 11 }, INVOCATION, REQUESTER, strict)).toMatchObject({ available: '10 ms' });
    },
  );

  it('is within the limits with the times that a requester asks for by itself', () => {
    const { orphanAfterMs, retentionMs } = defaultOrchestratorLimits;
    expect(check({ orphanAfterMs, retentionMs })).toBeUndefined();
  });

  it('is refused when somebody else signed it', () => {
    expect(check({}, INVOCATION, 'another')).toMatchObject({ code: 'INVALID', field: 'terms.requester' });
  });

  it('is refused for an invocation of another partition or engine', () => {
    expect(check({}, { ...INVOCATION, partition: 1 })).toMatchObject({ field: 'invocation.partition' });
    const python = {
      ...INVOCATION,
      engine: { type: 'python', script: { cid: 'x', size: 1 }, args: [], env: {}, stdin: '' },
    } as const;
    expect(check({}, python)).toMatchObject({ field: 'invocation.engine' });
  });

  it('is refused when the bid is gone', () => {
    desk.bidder.ended(REQUESTER, 'round-1');
    expect(check({})).toMatchObject({ code: 'BID_EXPIRED', retryable: true });
  });
});
