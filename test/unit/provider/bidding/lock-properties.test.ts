import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import type { Bid } from '../../../../src/domain/market/bid.ts';
import { addResources, coversResources } from '../../../../src/domain/units/resources.ts';
import { defaultProviderLimits } from '../../../../src/provider/options.ts';
import { BiddingDesk, ONBOARDED } from './bidding-desk.ts';

const LOCK_TTL_MS = 1000;
const BID_VALID_MS = 3000;
const REQUESTS = 3;

const request = fc.nat(REQUESTS - 1);
const step = fc.oneof(
  fc.record({ kind: fc.constant('bid' as const), request, slots: fc.integer({ min: 1, max: 3 }) }),
  // The first takes the lock over that came with the bid, a repeat renews the one it has.
  fc.record({ kind: fc.constant('lock' as const), request, execution: fc.nat(3) }),
  fc.record({ kind: fc.constant('end' as const), request }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 1200 }) }),
);

function check({ ledger }: BiddingDesk, bids: ReadonlyMap<number, Bid>): void {
  const { locked, allocated, free } = ledger.pools();
  const taken = addResources(locked, allocated);
  expect(coversResources(ONBOARDED, taken)).toBe(true);
  expect(addResources(taken, free)).toEqual(ONBOARDED);
  const leases = ledger.leases();
  for (const [at, bid] of bids) {
    const own = leases.filter(({ holder }) => holder === `requester-${at}`);
    expect(own.length, 'no more locks than places').toBeLessThanOrEqual(bid.slots);
    expect(new Set(own.map(({ lockId }) => lockId)).size).toBe(own.length);
  }
  for (const { lockId } of leases) {
    expect(ledger.remainingMs(lockId)).toBeGreaterThan(0);
    expect(ledger.remainingMs(lockId)).toBeLessThanOrEqual(LOCK_TTL_MS);
  }
}

describe.each([true, false])('whatever is bid and asked for, with locks on bids: %s', (lockOnBid) => {
  test.prop([fc.array(step, { maxLength: 40 })])(
    'locks stay inside what is offered, belong to one execution each, and end',
    async (steps) => {
      const limits = { ...defaultProviderLimits, bidValidMs: BID_VALID_MS, lockTtlMs: LOCK_TTL_MS };
      const desk = new BiddingDesk({ lockOnBid, limits });
      const bids = new Map<number, Bid>();
      const lockOf = new Map<string, string>();
      for (const [index, next] of steps.entries()) {
        const requester = 'request' in next ? `requester-${next.request}` : '';
        if (next.kind === 'bid' && !bids.has(next.request)) {
          const answer = await desk.answer({ requestId: `round-${index}`, slots: next.slots }, requester);
          if (answer.kind === 'bid') bids.set(next.request, answer.bid.value);
        } else if (next.kind === 'lock') {
          const bid = bids.get(next.request);
          if (bid === undefined) continue;
          const answer = await desk.lock(bid, { executionId: `e${next.execution}` }, requester);
          const lockId = 'lock' in answer.value ? answer.value.lock?.lockId : undefined;
          const key = `${bid.bidId}/e${next.execution}`;
          if (lockId !== undefined) expect(lockOf.get(key) ?? lockId, 'the same lock again').toBe(lockId);
          if (lockId !== undefined) lockOf.set(key, lockId);
        } else if (next.kind === 'end') {
          const bid = bids.get(next.request);
          if (bid !== undefined) desk.bidder.ended(requester, bid.requestId);
          bids.delete(next.request);
        } else if (next.kind === 'wait') {
          await desk.clock.advanceBy(next.ms);
        }
        check(desk, bids);
      }
      expect(new Set(lockOf.values()).size, 'no lock is for two executions').toBe(lockOf.size);
      await desk.clock.advanceBy(LOCK_TTL_MS);
      expect(desk.ledger.leases()).toEqual([]);
      expect(desk.ledger.free()).toEqual(ONBOARDED);
    },
  );
});
