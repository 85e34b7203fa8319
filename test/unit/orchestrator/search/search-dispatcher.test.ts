import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Job } from '../../../../src/domain/job/job.ts';
import type { Search } from '../../../../src/domain/market/search.ts';
import { GOOD_BEHAVIOUR } from '../../../../src/domain/trust/strikes.ts';
import { CodedError } from '../../../../src/lib/coded-error.ts';
import { silentLogger } from '../../../../src/lib/logger.ts';
import { JobLane } from '../../../../src/orchestrator/job-lane.ts';
import { defaultOrchestratorLimits } from '../../../../src/orchestrator/options.ts';
import { SearchDispatcher } from '../../../../src/orchestrator/search/search-dispatcher.ts';
import { FakeClock } from '../../../simulation/fake-clock.ts';
import { bidOf, declineOf, jobOf, notaryOf, REQUESTER, roundOf } from '../../fakes/market.ts';
import { ScriptedMarket, ScriptedNegotiation } from '../../fakes/market-desk.ts';
import { openTestStore, type TestStore } from '../../fakes/stores.ts';

const SLOTS = 2;
const CPU = { field: 'cpu', required: '4', count: 2, alone: 2, best: '2', bestCount: 2 };

let clock: FakeClock;
let market: ScriptedMarket;
let stored: TestStore;
let desk: SearchDispatcher;
let evaluated: string[];
let stopping: AbortController;

beforeEach(async () => {
  clock = new FakeClock();
  market = new ScriptedMarket();
  stored = await openTestStore(clock);
  evaluated = [];
  stopping = new AbortController();
  desk = new SearchDispatcher(
    {
      defaultOrchestrationType: 'pull',
      defaultSearchTimeoutMs: 5000,
      wantedBids: 3,
      weights: {},
      limits: { ...defaultOrchestratorLimits, maxOpenSearches: SLOTS },
    },
    {
      clock,
      logger: silentLogger,
      notary: notaryOf(REQUESTER),
      market,
      peers: {
        sizeEstimate: () => 0,
        candidates: () => [],
        fits: () => ({ compared: 0, fits: [] }),
        indirect: () => ({ fitting: [], mayBeMore: false }),
        recordOf: () => undefined,
        explain: () => ({ known: 2, fitting: 0, busy: 0, misses: [CPU] }),
      },
      behaviour: { behaviourOf: () => GOOD_BEHAVIOUR },
      lane: new JobLane({ clock, chance: () => 0, store: stored.store.jobs, signal: stopping.signal }),
      evaluate: (job, trigger) => evaluated.push(`${job.id} ${trigger}`),
    },
  );
});

afterEach(async () => {
  stopping.abort();
  desk.stop();
  await clock.runUntilSettled(stored.store.stop(), 10_000);
});

/** Stores a job with its search, as a plan does, and hands the search to the desk. */
async function start(jobId: string, priority = 50): Promise<{ job: Job; search: Search }> {
  const job = jobOf({ id: jobId, spec: { priority } });
  const requestId = `search-of-${jobId}`;
  const state = desk.reserve(requestId) ? 'open' : 'waiting';
  const search = roundOf([], { jobId, requestId, state });
  const commit = stored.store.jobs.commit({ jobId, revision: 0, job, search, events: [] });
  await clock.runUntilSettled(commit, 1000);
  desk.start(job, search);
  return { job, search };
}

async function storedSearch(jobId: string): Promise<Search | undefined> {
  return (await stored.store.jobs.snapshot(jobId))?.search;
}

function onAir(): readonly string[] {
  return market.published.map(({ request }) => request.jobId);
}

function listenerOf(jobId: string) {
  const found = market.published.findLast(({ request }) => request.jobId === jobId);
  if (found === undefined) throw new Error(`${jobId} was not published`);
  return found;
}

function bid(jobId: string, provider: string): ScriptedNegotiation {
  const negotiation = new ScriptedNegotiation(provider);
  const { listener, request } = listenerOf(jobId);
  listener.bid(bidOf(provider, { jobId, requestId: request.requestId }), negotiation);
  return negotiation;
}

describe('the search desk', () => {
  it('publishes the request and writes down what came', async () => {
    await start('one');
    bid('one', 'a');
    const { request, listener } = listenerOf('one');
    listener.decline(declineOf('b', { requestId: request.requestId }));
    await clock.runUntil(() => evaluated.length > 0, 1000);
    await clock.advanceBy(100);
    expect(evaluated).toEqual(['one search-closed']);
    expect(await storedSearch('one')).toMatchObject({
      state: 'closed',
      closeReason: 'everyone-answered',
      seenAtLeast: 2,
      index: { entries: [{ provider: 'a' }], declines: [{ provider: 'b' }] },
    });
    const events = await stored.store.jobs.events('one', 0, 100);
    expect(events.map(({ type }) => type)).toEqual([
      'bid.received',
      'bid.refused',
      'search.closed',
      'provider.shortlisted',
    ]);
  });

  it('writes down what is known of those who could have been asked, where nobody was', async () => {
    market.hearers.clear();
    await start('one');
    await clock.runUntil(() => evaluated.length > 0, 10_000);
    await clock.advanceBy(100);
    const search = await storedSearch('one');
    expect(search).toMatchObject({ seenAtLeast: 0, unheard: { known: 2, fitting: 0, misses: ['cpu'] } });
  });

  it('knows the open negotiations of the newest request only', async () => {
    const { search } = await start('one');
    bid('one', 'a');
    expect([...desk.openNegotiations('one', search.requestId)]).toEqual(['a']);
    expect(desk.openNegotiations('one', 'older').size).toBe(0);
    expect(desk.openNegotiations('one', undefined).size).toBe(0);
    expect(desk.negotiation('one', search.requestId, 'a')?.provider).toBe('a');
    expect(desk.negotiation('one', 'older', 'a')).toBeUndefined();
  });

  it('has a bounded number on the air; the others wait by priority, then first come', async () => {
    for (const [jobId, priority] of [
      ['one', 50],
      ['two', 50],
      ['low', 10],
      ['first', 50],
      ['second', 50],
      ['high', 90],
    ] as const)
      await start(jobId, priority);
    expect(onAir()).toEqual(['one', 'two']);

    for (const done of ['one', 'two', 'high', 'first', 'second']) {
      const { request, listener } = listenerOf(done);
      for (const provider of market.hearers)
        listener.decline(declineOf(provider, { requestId: request.requestId }));
      await clock.advanceBy(100);
    }
    expect(onAir()).toEqual(['one', 'two', 'high', 'first', 'second', 'low']);
    expect(await storedSearch('high')).toMatchObject({ state: 'closed' });
    expect(await storedSearch('low')).toMatchObject({ state: 'open' });
  });

  it('a search that is released leaves its slot to the next', async () => {
    for (const jobId of ['one', 'two', 'three']) await start(jobId);
    const negotiation = bid('one', 'a');
    desk.release('one');
    await clock.advanceBy(100);
    expect(negotiation.open).toBe(false);
    expect(onAir()).toEqual(['one', 'two', 'three']);
    expect(await storedSearch('one')).toMatchObject({ state: 'closed', closeReason: 'cancelled' });
  });

  it('a waiting search that is released never goes on the air', async () => {
    for (const jobId of ['one', 'two', 'three', 'four']) await start(jobId);
    desk.release('three');
    desk.release('one');
    await clock.advanceBy(100);
    expect(onAir()).toEqual(['one', 'two', 'four']);
  });

  it('a search that is released while it is being opened is closed again', async () => {
    for (const jobId of ['one', 'two', 'three']) await start(jobId);
    desk.release('one');
    desk.release('three');
    await clock.advanceBy(100);
    expect(onAir()).toEqual(['one', 'two']);
    expect(await storedSearch('three')).toMatchObject({ state: 'closed', closeReason: 'cancelled' });
    await start('four');
    expect(onAir()).toEqual(['one', 'two', 'four']);
  });

  it('a slot that was reserved in vain is free again', async () => {
    await start('one');
    expect(desk.reserve('never-written')).toBe(true);
    await start('two');
    expect(onAir()).toEqual(['one']);
    desk.giveBack('never-written');
    await clock.advanceBy(100);
    expect(onAir()).toEqual(['one', 'two']);
  });

  it('a request that cannot be published is closed, and the job looked at again', async () => {
    market.publishFails = new CodedError('REQUEST_TOO_LARGE', 'too large');
    await start('one');
    await clock.runUntil(() => evaluated.length > 0, 1000);
    await clock.advanceBy(100);
    expect(await storedSearch('one')).toMatchObject({ state: 'closed', closeReason: 'interrupted' });
    market.publishFails = undefined;
    await start('two');
    await start('three');
    expect(onAir()).toEqual(['two', 'three']);
  });

  it('the end of a negotiation has the job looked at', async () => {
    await start('one');
    bid('one', 'a');
    listenerOf('one').listener.negotiationEnded('a');
    expect(evaluated).toEqual(['one exec-update']);
  });

  it('a new round lets go of the bidders of the one before', async () => {
    const { job } = await start('one');
    const negotiation = bid('one', 'a');
    listenerOf('one').listener.negotiationEnded('nobody');
    desk.reserve('round-two');
    desk.start(job, roundOf([], { jobId: 'one', requestId: 'round-two', round: 2, state: 'open' }));
    expect(negotiation.open).toBe(false);
    expect(onAir()).toEqual(['one', 'one']);
  });

  it('after stop nothing is published and every bidder is free', async () => {
    for (const jobId of ['one', 'two', 'three']) await start(jobId);
    const negotiation = bid('one', 'a');
    desk.stop();
    await clock.advanceBy(10_000);
    expect(negotiation.open).toBe(false);
    expect(onAir()).toEqual(['one', 'two']);
    expect(await storedSearch('one')).toMatchObject({ state: 'open' });
  });
});
