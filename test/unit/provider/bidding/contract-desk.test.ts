import { beforeEach, describe, expect, it } from 'vitest';
import type { Bid } from '../../../../src/domain/market/bid.ts';
import type { Proposal } from '../../../../src/domain/market/contract.ts';
import { contentIdOf } from '../../../../src/lib/canonical.ts';
import { CodedError } from '../../../../src/lib/coded-error.ts';
import { defaultProviderLimits } from '../../../../src/provider/options.ts';
import { REQUESTER, requestOf } from '../../fakes/market.ts';
import { BiddingDesk, EXECUTION, ONBOARDED } from './bidding-desk.ts';

let desk: BiddingDesk;
let bid: Bid;
let proposal: Proposal;
let contractId: string;

beforeEach(async () => {
  desk = new BiddingDesk();
  bid = await desk.locked();
  proposal = desk.proposal(bid);
  contractId = contentIdOf(proposal.terms.payload);
});

const accept = (which = proposal) => desk.contracts.accept(REQUESTER, which, requestOf());

describe('the commit point', () => {
  it('writes contract, lease and execution in one batch, then answers and starts', async () => {
    const signed = await accept();
    expect(signed).toMatchObject({ contractId, terms: proposal.terms });
    const [lease] = desk.ledger.leases();
    expect(lease).toMatchObject({ lockId: bid.lock?.lockId, state: 'committed', executionId: EXECUTION });
    expect(lease?.ttlMs).toBe(300_000 + 600_000 + defaultProviderLimits.leaseGraceMs);
    expect(desk.store.commits.at(-1)).toMatchObject({
      contracts: [{ contractId, state: 'ACCEPTED' }],
      leases: [lease],
      executions: [{ item: { executionId: EXECUTION, contractId, state: 'BidAccepted', sequence: 1 } }],
    });
    expect(desk.accepted).toHaveLength(1);
  });

  it('neither answers nor starts before the batch is on disk', async () => {
    const opened = Promise.withResolvers<void>();
    desk.store.gate = opened.promise;
    let answered = false;
    const answer = accept().then(() => {
      answered = true;
    });
    await desk.clock.settle();
    expect(answered).toBe(false);
    expect(desk.accepted).toEqual([]);
    opened.resolve();
    await answer;
    expect(desk.accepted).toHaveLength(1);
  });

  it('accepts once: a repeat gets the same answer', async () => {
    const answers = await Promise.all([accept(), accept()]);
    expect(await accept()).toEqual(answers[0]);
    expect(answers[1]).toEqual(answers[0]);
    expect(desk.accepted).toHaveLength(1);
    expect(desk.store.commits.filter(({ contracts }) => contracts !== undefined)).toHaveLength(1);
  });

  it('accepts a lock that came with the bid', async () => {
    desk = new BiddingDesk({ lockOnBid: true });
    bid = await desk.bid();
    expect(await accept(desk.proposal(bid))).toHaveProperty('contractId');
    expect(desk.ledger.leases()).toMatchObject([{ state: 'committed', executionId: EXECUTION }]);
  });

  it('frees the lease when the batch fails, and accepts nothing', async () => {
    desk.store.failures.push(new CodedError('STORE_FAILED', 'no space'));
    await expect(accept()).rejects.toThrow('no space');
    expect(desk.ledger.free()).toEqual(ONBOARDED);
    expect(desk.accepted).toEqual([]);
    expect(await desk.contracts.answer(REQUESTER, contractId)).toMatchObject({ kind: 'never' });
  });

  it('the end of the negotiation does not take a committed lease', async () => {
    const opened = Promise.withResolvers<void>();
    desk.store.gate = opened.promise;
    const answer = accept();
    await desk.clock.settle();
    desk.bidder.ended(REQUESTER, 'round-1');
    opened.resolve();
    await answer;
    await desk.clock.settle();
    expect(desk.ledger.leases()).toMatchObject([{ state: 'committed' }]);
    expect([...desk.store.leases.values()]).toMatchObject([{ state: 'committed' }]);
  });

  it('a second contract for the same execution is declined, also while the first is being written', async () => {
    const more = await desk.bid({ requestId: 'round-2' });
    const locked = await desk.lock(more);
    const second = desk.proposal(locked.value as Bid);
    const answers = await Promise.all([accept(), accept(second)]);
    expect(answers).toMatchObject([{ contractId }, { value: { code: 'DUPLICATE', retryable: false } }]);
    expect(await accept(desk.proposal(locked.value as Bid, { proposedAt: 1 }))).toMatchObject({
      value: { code: 'DUPLICATE' },
    });
    expect(desk.accepted).toHaveLength(1);
  });
});

describe('a proposal is declined, signed,', () => {
  it('when its requester is not verified', async () => {
    desk.verdict = { ok: false, reason: 'revoked' };
    expect(await accept()).toMatchObject({
      type: 'decline',
      value: { requestId: 'round-1', stage: 'contract', code: 'NOT_VERIFIED', message: 'revoked' },
    });
    expect(desk.ledger.leases()).toMatchObject([{ state: 'held' }]);
    expect(desk.store.contracts.size).toBe(0);
  });

  it('when it is not what was bid', async () => {
    expect(await accept(desk.proposal(bid, { jobDigest: 'another' }))).toMatchObject({
      value: { code: 'INVALID' },
    });
  });

  it('when its lock has run out, or is nearly over', async () => {
    await desk.clock.advanceBy(defaultProviderLimits.lockTtlMs - defaultProviderLimits.lockMarginMs);
    expect(await accept()).toMatchObject({ value: { code: 'LOCK_EXPIRED', field: 'terms.lockVersion' } });
    await desk.clock.advanceBy(defaultProviderLimits.lockMarginMs);
    expect(await accept(desk.proposal(bid, { proposedAt: 1 }))).toMatchObject({
      value: { code: 'LOCK_EXPIRED' },
    });
  });

  it.each([
    ['an older version', { lockVersion: 0 }],
    ['another lock', { lockId: 'other' }],
    ['another execution than the lock is for', { executionId: 'job.v1.p0r0.a2', attempt: 2 }],
  ])('when it names %s', async (_, changes) => {
    expect(await accept(desk.proposal(bid, changes))).toMatchObject({ value: { code: 'LOCK_EXPIRED' } });
  });

  it('when deciding took longer than it may be accepted', async () => {
    const held = Promise.withResolvers<void>();
    desk.store.contract = async () => {
      await held.promise;
      return undefined;
    };
    const answer = accept();
    await desk.clock.advanceBy(5001);
    held.resolve();
    expect(await answer).toMatchObject({ value: { code: 'BID_EXPIRED', retryable: true } });
  });

  it('when the lock was used for another contract', async () => {
    await accept();
    desk.accepted.length = 0;
    expect(await accept(desk.proposal(bid, { proposedAt: 1 }))).toMatchObject({
      value: { code: 'LOCK_EXPIRED' },
    });
  });
});

describe('a question for a contract', () => {
  it('is answered with the accepted bytes', async () => {
    const signed = await accept();
    expect(await desk.contracts.answer(REQUESTER, contractId)).toEqual({
      kind: 'accepted',
      contract: signed,
    });
  });

  it('is answered with a durable never, after which it is never accepted', async () => {
    const answer = await desk.contracts.answer(REQUESTER, contractId);
    expect(answer).toMatchObject({ kind: 'never', never: { value: { contractId } } });
    expect(await desk.contracts.answer(REQUESTER, contractId)).toEqual(answer);
    expect(desk.store.nevers.size).toBe(1);
    expect(await accept()).toMatchObject({ value: { code: 'BID_EXPIRED', retryable: true } });
    expect(desk.accepted).toEqual([]);
  });

  it('waits for a proposal of it that is being decided', async () => {
    const opened = Promise.withResolvers<void>();
    desk.store.gate = opened.promise;
    const accepting = accept();
    const asking = desk.contracts.answer(REQUESTER, contractId);
    await desk.clock.settle();
    opened.resolve();
    expect(await asking).toEqual({ kind: 'accepted', contract: await accepting });
    expect(desk.store.nevers.size).toBe(0);
  });

  it('is answered to its requester only', async () => {
    await accept();
    await expect(desk.contracts.answer('another', contractId)).rejects.toThrow('Only the parties');
  });
});
