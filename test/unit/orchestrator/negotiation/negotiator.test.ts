import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Bid } from '../../../../src/domain/market/bid.ts';
import type { JobSnapshot } from '../../../../src/domain/job/plan.ts';
import { contentIdOf } from '../../../../src/lib/canonical.ts';
import { sleep } from '../../../../src/lib/clock.ts';
import { CodedError } from '../../../../src/lib/coded-error.ts';
import { bidOf, declineOf, entryOf, executionOf, LOCK, observedAs, roundOf } from '../../fakes/market.ts';
import { ClosingDesk } from './closing-desk.ts';

/** Of the job that is on disk. */
const LOCK_TIMEOUT_MS = 5000;

let desk: ClosingDesk;
let snapshot: JobSnapshot;

beforeEach(async () => {
  desk = await ClosingDesk.open();
  snapshot = await desk.store(observedAs.asking());
});

afterEach(() => desk.stop());

const again = (changes: Partial<Bid> = {}) =>
  bidOf('a', { executionId: executionOf(0, 1, 'a', observedAs.new()).id, lock: LOCK, ...changes });

async function requestLock(): Promise<void> {
  desk.negotiator.requestLock(snapshot, await desk.execution());
  await desk.clock.advanceBy(50);
}

describe('a job request', () => {
  it('takes the lock, and that is on disk', async () => {
    desk.negotiation.lock = async () => again();
    await requestLock();
    expect(desk.negotiation.asked).toEqual([
      { requestId: 'round-1', bidId: 'bid-of-a', executionId: 'job.v1.p0r0.a1', attempt: 1 },
    ]);
    expect(await desk.execution()).toMatchObject({ observed: { state: 'AskForBidAccepted', lock: LOCK } });
    expect(await desk.events()).toEqual(['lock.acquired']);
    expect(desk.evaluated).toEqual(['exec-update']);
  });

  it('that is declined ends the execution with the reason', async () => {
    desk.negotiation.lock = async () =>
      declineOf('a', { code: 'BUSY', message: 'full', stage: 'job-request', retryAfterMs: 700 });
    await requestLock();
    expect(await desk.execution()).toMatchObject({
      desired: 'Stopped',
      observed: {
        state: 'AskForBidRejected',
        end: {
          why: {
            code: 'no-contract',
            data: { why: { code: 'declined', data: { decline: 'BUSY', text: 'full' } } },
          },
        },
      },
    });
    expect((await desk.execution()).observed).not.toHaveProperty('end.forGood');
    expect(await desk.events()).toEqual(['lock.declined BUSY']);
    expect(await desk.newestEvent()).toMatchObject({
      data: { stage: 'job-request', retryable: true, retryAfterMs: 700 },
    });
    expect(desk.evaluated).toEqual(['exec-update']);
  });

  it('that is declined for good says so of the execution', async () => {
    desk.negotiation.lock = async () => declineOf('a', { code: 'POLICY', message: 'no', retryable: false });
    await requestLock();
    expect(await desk.execution()).toMatchObject({
      observed: {
        end: {
          why: {
            code: 'no-contract',
            data: { why: { code: 'declined', data: { decline: 'POLICY', text: 'no' } } },
          },
          forGood: true,
        },
      },
    });
  });

  it('that is not answered is a timeout, and the negotiation is over', async () => {
    desk.negotiation.lock = async (_, timeoutMs) => {
      await sleep(desk.clock, timeoutMs);
      throw new CodedError('NEGOTIATION_TIMEOUT', 'silence');
    };
    await requestLock();
    await desk.clock.advanceBy(LOCK_TIMEOUT_MS);
    expect(await desk.execution()).toMatchObject({ observed: { state: 'AskForBidRejected' } });
    expect(await desk.newestEvent()).toMatchObject({
      data: { stage: 'job-request', timeoutMs: LOCK_TIMEOUT_MS, elapsedMs: LOCK_TIMEOUT_MS },
    });
    expect(await desk.events()).toEqual(['lock.timeout NEGOTIATION_TIMEOUT']);
    expect(desk.negotiation.open).toBe(false);
  });

  it.each([
    ['a dearer price', { price: { amount: '0.03', currency: 'USD', per: 'hour' } }],
    ['another time', { time: { durationMs: 1, startWithinMs: 1 } }],
    ['another bid', { bidId: 'other' }],
    ['another execution', { executionId: 'job.v1.p0r0.a2' }],
  ] as const)('is not fooled by %s', async (_, changes) => {
    desk.negotiation.lock = async () => again(changes);
    await requestLock();
    expect(await desk.execution()).toMatchObject({
      observed: { state: 'AskForBidRejected', end: { why: { data: { why: { code: 'bid-changed' } } } } },
    });
  });

  it('needs a lock in the answer', async () => {
    const { lock: _, ...without } = again().value;
    desk.negotiation.lock = async () => ({ ...again(), value: without });
    await requestLock();
    expect(await desk.events()).toEqual(['lock.timeout LOCK_MISSING']);
  });

  it('on a negotiation that is gone ends at once', async () => {
    const elsewhere = executionOf(0, 1, 'gone', observedAs.new());
    desk.negotiator.requestLock(snapshot, { ...elsewhere, id: (await desk.execution()).id });
    await desk.clock.advanceBy(50);
    expect(await desk.execution()).toMatchObject({ observed: { state: 'AskForBidRejected' } });
  });

  it('for an execution that was ended meanwhile changes nothing', async () => {
    const answered = Promise.withResolvers<ReturnType<typeof again>>();
    desk.negotiation.lock = () => answered.promise;
    await desk.end(observedAs.rejected());
    await requestLock();
    answered.resolve(again());
    await desk.clock.advanceBy(50);
    expect(await desk.execution()).toMatchObject({ observed: { state: 'BidRejected' } });
    expect(await desk.events()).toEqual([]);
  });
});

describe('a proposal', () => {
  const OLD_MS = LOCK.ttlMs / 2 + 1;

  /** Takes the lock, waits, and proposes. */
  async function proposeAfter(waitMs: number): Promise<void> {
    desk.negotiation.lock = async () => again();
    await requestLock();
    const locked = await desk.execution();
    const contract = desk.negotiator.draftProposal(snapshot, locked);
    if (contract === undefined) throw new Error('no draft');
    await desk.clock.advanceBy(waitMs);
    desk.negotiator.propose(snapshot.job, locked, contract);
    await desk.clock.advanceBy(50);
  }

  it('leaves at once while the lock is young', async () => {
    await proposeAfter(0);
    expect(desk.negotiation.asked).toHaveLength(1);
    expect(desk.negotiation.proposals).toHaveLength(1);
  });

  it('renews a lock that is running out before it leaves', async () => {
    await proposeAfter(OLD_MS);
    expect(desk.negotiation.asked).toHaveLength(2);
    expect(desk.negotiation.asked[1]).toEqual(desk.negotiation.asked[0]);
    expect(desk.negotiation.proposals).toHaveLength(1);
  });

  it('renews a lock that came with the bid as well', async () => {
    const locked = { ...(await desk.execution()), observed: observedAs.locked() };
    const entry = entryOf('a', { lock: LOCK });
    const receivedAt = desk.clock.nowMs() - OLD_MS;
    const search = roundOf([{ ...entry, receivedAt }]);
    const contract = desk.negotiator.draftProposal({ ...snapshot, search }, locked);
    if (contract === undefined) throw new Error('no draft');
    desk.negotiation.lock = async () => again();
    desk.negotiator.propose(snapshot.job, locked, contract);
    await desk.clock.advanceBy(50);
    expect(desk.negotiation.asked).toHaveLength(1);
    expect(desk.negotiation.proposals).toHaveLength(1);
  });

  it.each([
    ['is declined', async () => declineOf('a', { code: 'LOCK_EXPIRED' }), 'LOCK_EXPIRED'],
    ['gives another lock', async () => again({ lock: { ...LOCK, version: 2 } }), 'BID_CHANGED'],
    ['fails', () => Promise.reject(new CodedError('NEGOTIATION_TIMEOUT', 'silence')), 'NEGOTIATION_TIMEOUT'],
  ] as const)('does not leave when the renewal %s', async (_, renewal, code) => {
    let asked = 0;
    desk.negotiation.lock = async () => ((asked += 1) === 1 ? again() : renewal());
    await requestLock();
    const locked = await desk.execution();
    const contract = desk.negotiator.draftProposal(snapshot, locked);
    if (contract === undefined) throw new Error('no draft');
    await desk.clock.advanceBy(OLD_MS);
    await desk.proposed(locked, contract);
    desk.negotiator.propose(snapshot.job, locked, contract);
    await desk.clock.advanceBy(50);
    expect(desk.negotiation.proposals).toEqual([]);
    expect(await desk.events()).toContain(`contract.declined ${code}`);
  });
});

describe('a draft', () => {
  it('names the bid, the lock and what is to be run', async () => {
    desk.negotiation.lock = async () => again({ providerRecord: Uint8Array.of(7) });
    await requestLock();
    const contract = desk.negotiator.draftProposal(snapshot, await desk.execution());
    expect(contract).toMatchObject({
      state: 'PROPOSED',
      executionId: 'job.v1.p0r0.a1',
      terms: {
        signer: 'requester',
        value: {
          bidId: 'bid-of-a',
          lockId: LOCK.lockId,
          lockVersion: LOCK.version,
          provider: 'a',
          price: { amount: '0.02' },
          providerRecord: Uint8Array.of(7),
          acceptWithinMs: 5000,
          startWithinMs: 300_000,
        },
      },
    });
    expect(contract?.contractId).toBe(contentIdOf(contract?.terms.payload ?? Uint8Array.of()));
  });

  it('is made from the bid itself when that came locked', async () => {
    const locked = { ...(await desk.execution()), observed: observedAs.locked() };
    expect(desk.negotiator.draftProposal(snapshot, locked)?.terms.value.lockId).toBe(LOCK.lockId);
  });

  it('is not made without a negotiation, a bid or a lock', async () => {
    const locked = { ...(await desk.execution()), observed: observedAs.locked() };
    expect(desk.negotiator.draftProposal(snapshot, { ...locked, bidId: 'other' })).toBeUndefined();
    expect(desk.negotiator.draftProposal(snapshot, { ...locked, provider: 'gone' })).toBeUndefined();
    expect(desk.negotiator.draftProposal(snapshot, await desk.execution())).toBeUndefined();
    desk.negotiation.close();
    expect(desk.negotiator.draftProposal(snapshot, locked)).toBeUndefined();
  });
});
