import { describe, expect, it } from 'vitest';
import { defaultProviderLimits } from '../../../src/provider/options.ts';
import type { ProviderHandler } from '../../../src/provider/ports.ts';
import type { Negotiation } from '../../../src/orchestrator/ports.ts';
import { BiddingDesk } from '../provider/bidding/bidding-desk.ts';
import { requestOf } from '../fakes/market.ts';
import * as sample from '../messages/samples.ts';
import { MarketWorld, RecordingListener, scriptedProvider, type WorldNode } from './market-world.ts';

const STANDS_MS = 1000;

interface Lapsed {
  readonly world: MarketWorld;
  readonly requester: WorldNode;
  readonly provider: WorldNode;
  readonly desk: BiddingDesk;
  readonly negotiation: Negotiation;
  readonly bidId: string;
}

/** A real bidder behind a real codec, and a negotiation about a bid of it that does not stand any more. */
async function lapsed(): Promise<Lapsed> {
  const world = new MarketWorld();
  const notary = world.notary('provider');
  const limits = { ...defaultProviderLimits, bidValidMs: STANDS_MS, lockTtlMs: STANDS_MS, maxOpenBids: 1 };
  const desk = new BiddingDesk({ limits }, { clock: world.clock, notary });
  const provided: Partial<ProviderHandler> = {
    answer: (request) => desk.bidder.answer(request),
    lock: (...asked) => desk.bidder.lock(...asked),
    accept: (...asked) => desk.contracts.accept(...asked),
  };
  const requester = await world.node('requester');
  const provider = await world.node('provider', { provider: scriptedProvider(notary, provided) });
  await world.clock.settle();
  const listener = new RecordingListener();
  const { requirements } = requestOf();
  requester.network.market.openRequest(world.request(requester, { requirements, answerShare: 1 }), listener);
  await world.clock.runUntil(() => listener.bids.length > 0, STANDS_MS / 2);
  const [bid, negotiation] = listener.bids[0]!;
  await world.clock.advanceBy(STANDS_MS);
  return { world, requester, provider, desk, negotiation, bidId: bid.value.bidId };
}

describe('a bid that has lapsed', () => {
  it('is no longer locked, and its requester can read why', async () => {
    const { world, requester, negotiation, bidId } = await lapsed();
    const answer = await world.settled(negotiation.requestLock(sample.jobRequest({ bidId }), 1000));
    expect(answer).toMatchObject({
      type: 'decline',
      value: { requestId: 'request-1', jobId: 'job-1', stage: 'job-request', code: 'BID_EXPIRED' },
    });
    expect(negotiation.open).toBe(true);
    expect(requester.network.counters()).not.toHaveProperty('negotiation.MALFORMED');
  });

  it('and made room becomes no contract, and its requester can read why', async () => {
    const { world, requester, provider, desk, negotiation, bidId } = await lapsed();
    await desk.answer({ requestId: 'request-2' }, 'another');
    const proposal = sample.proposal(requester.notary, provider.peer, { bidId });
    expect(await world.settled(negotiation.propose(proposal, 1000))).toMatchObject({
      type: 'decline',
      value: { requestId: 'request-1', jobId: 'job-1', stage: 'contract', code: 'BID_EXPIRED' },
    });
    expect(negotiation.open).toBe(true);
  });
});
