import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Explanation } from '../../../../src/domain/explain/explanation.ts';
import { jobDescription } from '../../../../src/domain/job/job-description.ts';
import { GOOD_BEHAVIOUR } from '../../../../src/domain/trust/strikes.ts';
import { codeOf } from '../../../../src/lib/coded-error.ts';
import { silentLogger } from '../../../../src/lib/logger.ts';
import { JobLane } from '../../../../src/orchestrator/job-lane.ts';
import { defaultOrchestratorLimits } from '../../../../src/orchestrator/options.ts';
import type { PeerTable } from '../../../../src/orchestrator/ports.ts';
import { dryRun } from '../../../../src/orchestrator/search/dry-run.ts';
import { SearchDispatcher } from '../../../../src/orchestrator/search/search-dispatcher.ts';
import { FakeClock } from '../../../simulation/fake-clock.ts';
import { bidOf, declineOf, jobOf, MODULE_CID, notaryOf, REQUESTER, roundOf } from '../../fakes/market.ts';
import { ScriptedMarket, ScriptedNegotiation } from '../../fakes/market-desk.ts';
import { openTestStore, type TestStore } from '../../fakes/stores.ts';

const OPTIONS = {
  defaultOrchestrationType: 'pull',
  defaultSearchTimeoutMs: 5000,
  wantedBids: 3,
  weights: {},
  limits: { ...defaultOrchestratorLimits, maxOpenSearches: 1 },
} as const;
const behaviour = { behaviourOf: () => GOOD_BEHAVIOUR };

let clock: FakeClock;
let market: ScriptedMarket;
let stored: TestStore;
let desk: SearchDispatcher;
let peers: PeerTable;
let size: number | undefined;
let stopping: AbortController;

beforeEach(async () => {
  clock = new FakeClock();
  market = new ScriptedMarket();
  stored = await openTestStore(clock);
  stopping = new AbortController();
  size = 8;
  peers = {
    sizeEstimate: () => 0,
    candidates: () => [],
    fits: () => ({ compared: 0, fits: [] }),
    indirect: () => ({ fitting: [], mayBeMore: false }),
    recordOf: () => undefined,
    explain: () => ({ known: 1, fitting: 0, busy: 0 }),
  };
  desk = new SearchDispatcher(OPTIONS, {
    clock,
    logger: silentLogger,
    notary: notaryOf(REQUESTER),
    market,
    peers,
    behaviour,
    lane: new JobLane({ clock, chance: () => 0, store: stored.store.jobs, signal: stopping.signal }),
    evaluate: () => {},
  });
});

afterEach(async () => {
  stopping.abort();
  desk.stop();
  await clock.runUntilSettled(stored.store.stop(), 10_000);
});

function start(changes: object = {}): Promise<Explanation> {
  let ids = 0;
  const engine = { type: 'wasm', params: { module: { cid: MODULE_CID } } };
  return dryRun(jobDescription.parse({ engine, ...changes }), OPTIONS, {
    clock,
    notary: notaryOf(REQUESTER),
    market,
    content: { sizeOf: async () => size },
    peers,
    behaviour,
    newId: () => `dry-${(ids += 1)}`,
    withSlot: (requestId, work) => desk.withSlot(requestId, work),
  });
}

/** Runs until the request is on the air. */
async function onAir(): Promise<ScriptedMarket['published'][number]> {
  await clock.settle();
  const [published] = market.published;
  if (published === undefined) throw new Error('nothing was published');
  return published;
}

function bid(published: ScriptedMarket['published'][number], provider: string): ScriptedNegotiation {
  const { jobId, requestId } = published.request;
  const negotiation = new ScriptedNegotiation(provider);
  published.listener.bid(bidOf(provider, { jobId, requestId }), negotiation);
  return negotiation;
}

/** The one slot is free when a search of a job gets it at once. */
function slotIsFree(): boolean {
  const free = desk.reserve('probe');
  if (free) desk.giveBack('probe');
  return free;
}

async function rejection(work: Promise<unknown>): Promise<string | undefined> {
  return clock.runUntilSettled(
    work.then(
      () => undefined,
      (error: unknown) => codeOf(error) ?? String(error),
    ),
    10_000,
  );
}

describe('a dry run', () => {
  it('says who would be tried first and why, with every bid', async () => {
    const running = start();
    const published = await onAir();
    const negotiations = ['a', 'b'].map((provider) => bid(published, provider));
    const explanation = await clock.runUntilSettled(running, 10_000);
    expect(explanation).toMatchObject({
      placed: false,
      winner: { provider: explanation.candidates[0]?.provider, why: { code: 'equal-scores' } },
      seenAtLeast: 2,
      suggestions: [],
    });
    expect(explanation.winner).not.toHaveProperty('executionId');
    expect(explanation.candidates.map(({ provider }) => provider).toSorted()).toEqual(['a', 'b']);
    expect(explanation).not.toHaveProperty('nearest');
    expect(negotiations.map(({ asked, proposals, open }) => [asked.length, proposals.length, open])).toEqual([
      [0, 0, false],
      [0, 0, false],
    ]);
  });

  it('says why nobody would', async () => {
    const running = start();
    const { listener, request } = await onAir();
    for (const provider of ['a', 'b']) {
      listener.decline(declineOf(provider, { requestId: request.requestId, code: 'PRICE', field: 'price' }));
    }
    const explanation = await clock.runUntilSettled(running, 10_000);
    expect(explanation).toMatchObject({
      placed: false,
      candidates: [],
      declines: [{ code: 'PRICE', field: 'price', count: 2 }],
      suggestions: [{ code: 'raise-budget', data: {} }],
    });
    expect(explanation).not.toHaveProperty('winner');
  });

  it('says whom to ask where a provider does not serve this node', async () => {
    const running = start();
    const { listener, request } = await onAir();
    const refusal = { code: 'POLICY', field: 'requester', retryable: false } as const;
    for (const provider of ['a', 'b']) {
      listener.decline(declineOf(provider, { requestId: request.requestId, ...refusal }));
    }
    const { suggestions } = await clock.runUntilSettled(running, 10_000);
    const data = { providers: ['a', 'b'], count: 2, self: market.self };
    expect(suggestions).toEqual([{ code: 'ask-to-be-let-in', data }]);
  });

  it('stores nothing, and is off the air when it ends', async () => {
    const running = start();
    bid(await onAir(), 'a');
    await clock.runUntilSettled(running, 10_000);
    expect((await stored.store.jobs.list({ limit: 10 })).items).toEqual([]);
    expect(market.closedRequests).toEqual([market.published[0]?.request.requestId]);
    expect(slotIsFree()).toBe(true);
  });

  it('asks those whom the job would ask', async () => {
    const [a, b] = ['a', 'b'].map((letter) => `12D3KooW${letter.repeat(44)}`);
    const running = start({
      orchestrationType: 'push',
      preferredProviders: [a],
      excludedProviders: [b],
    });
    const { targets, request } = await onAir();
    expect(targets).toEqual([{ peer: a }]);
    expect(request).toMatchObject({ exclude: [b], answerAlways: true, answerShare: 1 });
    market.hearers = new Set();
    market.published[0]?.listener.audienceChanged();
    const { suggestions } = await clock.runUntilSettled(running, 10_000);
    expect(suggestions).toContainEqual({ code: 'check-preferred', data: { providers: [a], count: 1 } });
  });

  it('says that it only tries, so that nobody locks anything for it', async () => {
    const running = start();
    const { request } = await onAir();
    expect(request.trial).toBe(true);
    await clock.runUntilSettled(running, 10_000);
  });

  it('ends with the node, and lets go of those who bid', async () => {
    const running = start();
    const published = await onAir();
    const negotiation = bid(published, 'a');
    const ended = rejection(running);
    desk.stop();
    expect(await ended).toBe('STOPPING');
    expect(negotiation.open).toBe(false);
    expect(market.closedRequests).toEqual([published.request.requestId]);
    expect(await rejection(start())).toBe('STOPPING');
    expect(market.published).toHaveLength(1);
  });

  describe('on a large network', () => {
    const SIZE = defaultOrchestratorLimits.answerAlwaysUpTo + 10;

    async function tookMs(seen: { compared: number; fits: readonly number[] }): Promise<number> {
      peers = { ...peers, sizeEstimate: () => SIZE, fits: () => seen };
      const startedAtMs = clock.monotonicMs();
      const running = start();
      bid(await onAir(), 'a');
      await clock.runUntilSettled(running, 10_000);
      return clock.monotonicMs() - startedAtMs;
    }

    it('does not wait for more than can take the job', async () => {
      expect(await tookMs({ compared: SIZE, fits: [900] })).toBeLessThan(500);
    });

    it.each([
      ['the table knows only some', { compared: SIZE / 2, fits: [900] }],
      ['another could bid', { compared: SIZE, fits: [900, 800] }],
      ['the table is wrong', { compared: SIZE, fits: [] }],
    ])('waits where %s', async (_, seen) => {
      expect(await tookMs(seen)).toBe(defaultOrchestratorLimits.partialWindowMs);
    });
  });

  it('takes a slot for its time, and is refused where there is none', async () => {
    const running = start();
    await onAir();
    expect(slotIsFree()).toBe(false);
    expect(await rejection(start())).toBe('TOO_MANY_JOBS');
    expect(market.published).toHaveLength(1);
    expect(slotIsFree()).toBe(false);
    await clock.runUntilSettled(running, 10_000);
    expect(slotIsFree()).toBe(true);
  });

  it('gives its slot to the job that waits for one', async () => {
    const running = start();
    await onAir();
    const job = jobOf({ id: 'waiting' });
    const search = roundOf([], { jobId: 'waiting', requestId: 'waiting', state: 'waiting' });
    const commit = stored.store.jobs.commit({ jobId: 'waiting', revision: 0, job, search, events: [] });
    await clock.runUntilSettled(commit, 1000);
    desk.start(job, search);
    await clock.runUntilSettled(running, 10_000);
    await clock.runUntil(() => market.published.length === 2, 1000);
    expect(market.published[1]?.request.jobId).toBe('waiting');
  });

  it('gives its slot back when the request cannot be published', async () => {
    market.publishFails = new Error('too large');
    expect(await rejection(start())).toContain('too large');
    expect(slotIsFree()).toBe(true);
  });

  it('refuses inputs that are not here before it takes a slot', async () => {
    size = undefined;
    expect(await rejection(start())).toBe('INPUT_UNAVAILABLE');
    expect(market.published).toEqual([]);
    expect(slotIsFree()).toBe(true);
  });
});
