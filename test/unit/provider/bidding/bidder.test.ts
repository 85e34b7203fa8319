import { beforeEach, describe, expect, it } from 'vitest';
import { bytesAsked } from '../../../../src/domain/matching/field-text.ts';
import { CodedError } from '../../../../src/lib/coded-error.ts';
import { defaultProviderLimits } from '../../../../src/provider/options.ts';
import { LOCK, requestOf, RESOURCES } from '../../fakes/market.ts';
import { BiddingDesk, EXECUTION, ONBOARDED, PROVIDER } from './bidding-desk.ts';

let desk: BiddingDesk;

beforeEach(() => {
  desk = new BiddingDesk();
});

const needing = (cpuMillis: number) => ({
  requirements: {
    ...requestOf().requirements,
    resources: { ...requestOf().requirements.resources, cpuMillis },
  },
});

describe('a bid', () => {
  it('offers the price, and as many places as there is room for', async () => {
    const bid = await desk.bid({ slots: 10 });
    expect(bid).toMatchObject({ requestId: 'round-1', jobId: 'job', price: { amount: '0.02' }, slots: 3 });
    expect(bid).not.toHaveProperty('lock');
    expect(desk.store.answers.get('round-1')).toMatchObject({ bidId: bid.bidId, requester: 'requester' });
    expect(desk.ledger.leases()).toEqual([]);
  });

  it('counts and tells what the runtime takes, and the lease books it', async () => {
    const runtime = ONBOARDED.memoryBytes / 2 - RESOURCES.memoryBytes;
    const booking = new BiddingDesk({ lockOnBid: true }, { runtimeMemory: { wasm: runtime } });
    const bid = await booking.bid({ slots: 10 });
    expect(bid.slots).toBe(2);
    expect(bid.comparison.fields).toContainEqual(
      expect.objectContaining({ field: 'memory.runtime', required: bytesAsked(runtime), result: 'Equal' }),
    );
    expect(booking.ledger.leases()).toMatchObject([
      { resources: { memoryBytes: ONBOARDED.memoryBytes / 2 } },
    ]);
    const whole = { ...RESOURCES, memoryBytes: ONBOARDED.memoryBytes };
    const requirements = { ...requestOf().requirements, resources: whole };
    expect(await booking.answer({ requestId: 'round-2', requirements })).toMatchObject({
      decline: { value: { code: 'INSUFFICIENT_RESOURCES', field: 'memory', retryable: false } },
    });
  });

  it('tells how soon it starts, by the engine, apart from how late it may', async () => {
    desk.startsInMs.set('wasm', 420);
    const { time, startsInMs } = await desk.bid();
    expect(startsInMs).toBe(420);
    expect(time.startWithinMs).toBe(defaultProviderLimits.longestStartWithinMs);
  });

  it('does not leave before it is on disk', async () => {
    const opened = Promise.withResolvers<void>();
    desk.store.gate = opened.promise;
    let answered = false;
    const answer = desk.answer().then(() => {
      answered = true;
    });
    await desk.clock.settle();
    expect(answered).toBe(false);
    opened.resolve();
    await answer;
    expect(answered).toBe(true);
  });

  it.each([
    ['a repeat', { first: true }, 'answered before'],
    ['its own exclusion', { request: { exclude: [PROVIDER] } }, 'excluded'],
    ['a share that leaves it out', { request: { answerShare: 0.000001 } }, 'outside the answer share'],
  ])(
    'is not made, and nothing is said, to %s',
    async (_, { first, request = {} }: { first?: boolean; request?: object }, reason) => {
      if (first === true) await desk.answer();
      expect(await desk.answer(request)).toEqual({ kind: 'silence', reason });
    },
  );

  it('is made once for a request that comes in on two ways at once', async () => {
    const answers = await Promise.all([desk.answer(), desk.answer()]);
    expect(answers.map(({ kind }) => kind).sort()).toEqual(['bid', 'silence']);
  });

  it('is made for each requester that uses the same request id', async () => {
    await desk.bid();
    expect((await desk.answer({}, 'another')).kind).toBe('bid');
  });

  it('is not repeated by a node that was restarted in between', async () => {
    await desk.answer();
    const { answers } = desk.store;
    desk = new BiddingDesk();
    for (const [id, answer] of answers) desk.store.answers.set(id, answer);
    expect(await desk.answer()).toEqual({ kind: 'silence', reason: 'answered before' });
  });

  it('to its own node is made where the owner wants that', async () => {
    expect((await desk.answer({}, PROVIDER)).kind).toBe('bid');
    expect(await new BiddingDesk({ ownJobs: false }).answer({}, PROVIDER)).toMatchObject({ kind: 'silence' });
  });

  it.each([
    [
      'a policy',
      { ...needing(500), budget: { amount: '0.01', currency: 'USD', per: 'hour' } as const },
      { code: 'PRICE' },
    ],
    ['capacity', needing(1601), { code: 'INSUFFICIENT_RESOURCES', field: 'cpu', retryable: false }],
    [
      'the engine',
      { requirements: { ...requestOf().requirements, engine: { type: 'python' as const } } },
      { code: 'ENGINE_UNAVAILABLE', field: 'engine.python' },
    ],
    [
      'a hard constraint',
      {
        requirements: {
          ...requestOf().requirements,
          constraints: { hard: [{ key: 'cpu.arch', operator: 'In' as const, values: ['arm64'] }], soft: [] },
        },
      },
      { code: 'CONSTRAINT_UNMET', field: 'cpu.arch' },
    ],
  ])('is declined with a reason because of %s', async (_, request, value) => {
    expect(await desk.answer(request)).toMatchObject({
      kind: 'decline',
      decline: { signer: PROVIDER, value: { requestId: 'round-1', jobId: 'job', stage: 'bid', ...value } },
    });
    expect(await new BiddingDesk().answer({ ...request, answerAlways: false })).toMatchObject({
      kind: 'silence',
    });
  });

  it('says that a no may become a yes when only taken capacity is in the way', async () => {
    await desk.locked(needing(1500));
    const answer = await desk.answer({ requestId: 'round-2', ...needing(500) });
    expect(answer).toMatchObject({
      kind: 'decline',
      decline: {
        value: {
          code: 'INSUFFICIENT_RESOURCES',
          retryable: true,
          retryAfterMs: defaultProviderLimits.lockTtlMs,
        },
      },
    });
  });

  it('says what is in the way when the capacity goes while it is being decided', async () => {
    const lockingDesk = new BiddingDesk({ lockOnBid: true });
    const answers = [needing(1000), { requestId: 'round-2', ...needing(1000) }].map((request) =>
      lockingDesk.answer(request),
    );
    expect((await Promise.all(answers))[1]).toMatchObject({
      kind: 'decline',
      decline: { value: { code: 'INSUFFICIENT_RESOURCES', field: 'cpu', available: '600m' } },
    });
  });

  it('says when less may run here where it runs as many executions as it may', async () => {
    await desk.locked();
    desk.liveExecutions = defaultProviderLimits.maxExecutions;
    expect(await desk.answer({ requestId: 'round-2' })).toMatchObject({
      decline: {
        value: { code: 'BUSY', retryable: true, retryAfterMs: defaultProviderLimits.lockTtlMs },
      },
    });
  });

  it('that is not written down leaves nothing behind', async () => {
    desk = new BiddingDesk({ lockOnBid: true });
    desk.store.failures.push(new CodedError('STORE_BUSY', 'busy'));
    await expect(desk.answer()).rejects.toThrow('busy');
    expect(desk.ledger.leases()).toEqual([]);
    expect((await desk.answer()).kind).toBe('bid');
  });
});

describe('a lock', () => {
  it('comes with the same bid again, and is on disk', async () => {
    const bid = await desk.bid();
    const answer = await desk.lock(bid);
    const [lease] = desk.ledger.leases();
    expect(lease).toMatchObject({
      holder: 'requester',
      executionId: EXECUTION,
      state: 'held',
      ttlMs: 30_000,
    });
    expect(answer.value).toEqual({
      ...bid,
      executionId: EXECUTION,
      lock: { lockId: lease?.lockId, version: lease?.version, ttlMs: 30_000 },
    });
    expect([...desk.store.leases.values()]).toEqual([lease]);
  });

  it('is the same for the same execution, and waits for the disk each time', async () => {
    const bid = await desk.bid();
    const opened = Promise.withResolvers<void>();
    desk.store.gate = opened.promise;
    const answers = [desk.lock(bid), desk.lock(bid)];
    let settled = 0;
    for (const answer of answers) void answer.then(() => (settled += 1));
    await desk.clock.settle();
    expect(settled).toBe(0);
    opened.resolve();
    const [first, second] = await Promise.all(answers);
    expect(second).toBe(first);
    expect(desk.ledger.leases()).toHaveLength(1);
  });

  it('has its whole time again when it is asked for again, as long as the bid stands', async () => {
    desk = new BiddingDesk({ limits: { ...defaultProviderLimits, lockTtlMs: 20_000, bidValidMs: 30_000 } });
    const bid = await desk.bid();
    const first = await desk.lock(bid);
    const [lease] = desk.ledger.leases();
    await desk.clock.advanceBy(15_000);
    expect(await desk.lock(bid)).toBe(first);
    expect(desk.ledger.remainingMs(lease?.lockId ?? '')).toBe(20_000);
    await desk.clock.advanceBy(15_000);
    expect(await desk.lock(bid)).toMatchObject({ value: { code: 'BID_EXPIRED' } });
    expect(desk.ledger.remainingMs(lease?.lockId ?? '')).toBe(5000);
  });

  it('is taken for as many executions as the bid offered, and no more', async () => {
    const bid = await desk.bid({ slots: 2 });
    for (const attempt of [1, 2])
      expect((await desk.lock(bid, { executionId: `e${attempt}` })).type).toBe('bid');
    expect(await desk.lock(bid, { executionId: 'e3' })).toMatchObject({
      type: 'decline',
      value: {
        stage: 'job-request',
        code: 'INSUFFICIENT_RESOURCES',
        retryable: true,
        retryAfterMs: defaultProviderLimits.lockTtlMs,
      },
    });
    expect(desk.ledger.leases()).toHaveLength(2);
  });

  it('is declined when the capacity went to another in the meantime', async () => {
    const first = await desk.bid(needing(1000));
    const second = await desk.bid({ requestId: 'round-2', ...needing(1000) }, 'another');
    expect((await desk.lock(first)).type).toBe('bid');
    expect(await desk.lock(second, {}, 'another')).toMatchObject({
      value: {
        code: 'INSUFFICIENT_RESOURCES',
        message: 'Taken by another job in the meantime. cpu: 1000m asked, 600m here.',
        field: 'cpu',
        required: '1000m',
        available: '600m',
        retryable: true,
        retryAfterMs: defaultProviderLimits.lockTtlMs,
      },
    });
  });

  it.each([
    ['another requester', {}, 'another'],
    ['another bid', { bidId: 'other' }, 'requester'],
    ['an unknown request', { requestId: 'other' }, 'requester'],
  ])('is not given to %s', async (_, changes, requester) => {
    const bid = await desk.bid();
    expect(await desk.lock(bid, changes, requester)).toMatchObject({
      value: { code: 'BID_EXPIRED', retryable: true, retryAfterMs: 0 },
    });
  });

  it('is not given when the bid has lapsed, nor while draining', async () => {
    const bid = await desk.bid();
    desk.bidder.setDraining(true);
    expect(await desk.lock(bid)).toMatchObject({
      value: { code: 'DRAINING', retryAfterMs: defaultProviderLimits.drainingRetryMs },
    });
    desk.bidder.setDraining(false);
    await desk.clock.advanceBy(defaultProviderLimits.bidValidMs);
    expect(await desk.lock(bid)).toMatchObject({ value: { code: 'BID_EXPIRED' } });
  });

  it('that has run out is not shown again', async () => {
    desk = new BiddingDesk({ limits: { ...defaultProviderLimits, lockTtlMs: 1000 } });
    const bid = await desk.bid();
    await desk.lock(bid);
    await desk.clock.advanceBy(1000);
    expect(await desk.lock(bid)).toMatchObject({ value: { code: 'LOCK_EXPIRED', retryAfterMs: 0 } });
  });

  it('is free at once when the negotiation ends, in memory and on disk', async () => {
    await desk.locked();
    desk.bidder.ended('requester', 'round-1');
    expect(desk.ledger.free()).toEqual(ONBOARDED);
    await desk.clock.settle();
    expect(desk.store.leases.size).toBe(0);
  });

  it('does not go with the negotiation of somebody else', async () => {
    await desk.locked();
    desk.bidder.ended('another', 'round-1');
    desk.bidder.ended('requester', 'round-2');
    expect(desk.ledger.leases()).toHaveLength(1);
  });

  it('comes with the bid where the owner wants that', async () => {
    desk = new BiddingDesk({ lockOnBid: true });
    const bid = await desk.bid({ slots: 2 });
    const [lease] = desk.ledger.leases();
    expect(bid).toMatchObject({ slots: 2, lock: { ...LOCK, lockId: lease?.lockId } });
    expect(lease).toMatchObject({ executionId: bid.bidId, state: 'held' });
    expect(desk.store.commits).toMatchObject([{ leases: [lease], answers: [{ requestId: 'round-1' }] }]);
    desk.bidder.ended('requester', 'round-1');
    expect(desk.ledger.leases()).toEqual([]);
  });

  it('that came with the bid goes to the execution that asks for it first', async () => {
    desk = new BiddingDesk({ lockOnBid: true });
    const bid = await desk.bid({ slots: 2 });
    await desk.clock.advanceBy(10_000);
    const answer = await desk.lock(bid);
    expect(answer.value).toEqual({ ...bid, executionId: EXECUTION });
    expect(desk.ledger.leases()).toHaveLength(1);
    expect(desk.ledger.remainingMs(bid.lock?.lockId ?? '')).toBe(30_000);
    expect(await desk.lock(bid)).toBe(answer);
    const other = await desk.lock(bid, { executionId: 'e2' });
    expect(other).toMatchObject({ type: 'bid', value: { executionId: 'e2' } });
    expect(desk.ledger.leases()).toHaveLength(2);
    desk.bidder.ended('requester', 'round-1');
    expect(desk.ledger.leases()).toEqual([]);
  });

  it('that came with the bid and has run out is not given anew', async () => {
    desk = new BiddingDesk({ lockOnBid: true, limits: { ...defaultProviderLimits, lockTtlMs: 1000 } });
    const bid = await desk.bid();
    await desk.clock.advanceBy(1000);
    expect(await desk.lock(bid)).toMatchObject({ value: { code: 'LOCK_EXPIRED' } });
    expect(desk.ledger.leases()).toEqual([]);
  });

  it('does not come with the bid where the requester only tries the job', async () => {
    desk = new BiddingDesk({ lockOnBid: true });
    expect(await desk.bid({ trial: true })).not.toHaveProperty('lock');
    expect(desk.ledger.leases()).toEqual([]);
  });

  it('of the oldest bid is freed when there are too many', async () => {
    desk = new BiddingDesk({ limits: { ...defaultProviderLimits, maxOpenBids: 1 } });
    const bid = await desk.bid();
    await desk.lock(bid);
    await desk.bid({ requestId: 'round-2' });
    expect(desk.ledger.leases()).toEqual([]);
    expect(desk.bidder.bidOf('requester', bid.bidId)).toBeUndefined();
  });
});
