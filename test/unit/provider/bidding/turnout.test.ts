import { beforeEach, describe, expect, it } from 'vitest';
import { BiddingDesk } from './bidding-desk.ts';

const LARGE = { answerAlways: false, answerShare: 1 };

describe('who answers a request', () => {
  let desk: BiddingDesk;
  beforeEach(() => {
    desk = new BiddingDesk();
  });

  it('bids without a wait where everybody answers', async () => {
    expect(await desk.answer()).toMatchObject({ kind: 'bid', delayMs: 0 });
  });

  it('waits behind a better fit that the requester knows of', async () => {
    const best = await desk.answer({ ...LARGE, answerFit: { least: 0, best: 1000 } });
    expect(best.kind === 'bid' && best.delayMs).toBeGreaterThan(0);
    const first = await desk.answer({ ...LARGE, requestId: 'other', answerFit: { least: 0, best: 0 } });
    expect(first).toMatchObject({ kind: 'bid', delayMs: 0 });
  });

  it('leaves it to others that fit better, and says so on a small network', async () => {
    const answerFit = { least: 1000, best: 1000 };
    expect(await desk.answer({ ...LARGE, answerFit })).toEqual({
      kind: 'silence',
      reason: 'others fit better',
    });
    const told = await desk.answer({ answerAlways: true, answerFit });
    expect(told).toMatchObject({
      kind: 'decline',
      decline: { value: { code: 'POLICY', retryable: true, retryAfterMs: 0 } },
    });
    expect(desk.ledger.leases()).toEqual([]);
  });

  it('tells a no on a large network only as one of a sample, and makes no bid as one of it', async () => {
    desk.bidder.setDraining(true);
    expect((await desk.answer({ ...LARGE, declineShare: 0 })).kind).toBe('silence');
    expect((await desk.answer({ ...LARGE, declineShare: 1 })).kind).toBe('decline');
    const outside = { answerAlways: false, answerShare: 1e-9 };
    expect((await desk.answer({ ...outside, declineShare: 1 })).kind).toBe('decline');
    desk.bidder.setDraining(false);
    expect((await desk.answer({ ...outside, declineShare: 1 })).kind).toBe('silence');
  });
});
