import { describe, expect, it } from 'vitest';
import type { BidRequest } from '../../../../src/domain/market/bid.ts';
import type { Evidence } from '../../../../src/domain/market/evidence.ts';
import { AdmissionControl } from '../../../../src/provider/admission/admission-control.ts';
import { NegotiationSeats } from '../../../../src/provider/admission/negotiation-seats.ts';
import type { Admission } from '../../../../src/provider/bidding/refusals.ts';
import type { AdmissionLimits } from '../../../../src/provider/admission/limits.ts';
import type { Answer } from '../../../../src/provider/ports.ts';
import { bidOf, evidence, requestOf } from '../../fakes/market.ts';
import { GateWorld, LIMITS } from './gate-world.ts';

const RATES = {
  answersPerStranger: { burst: 1000, perSecond: 1 },
  requestsPerEstablished: { burst: 1000, perSecond: 1 },
  requestsPerRequester: { burst: 1000, perSecond: 1 },
  requestsInTotal: { burst: 1000, perSecond: 1 },
  requestsOfEstablished: { burst: 1000, perSecond: 1 },
} as const;

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A bidder that bids whenever it is let in, unless it is told otherwise. */
class DeskWorld extends GateWorld {
  readonly ended: string[] = [];
  readonly admissions: Admission[] = [];
  readonly desk: AdmissionControl;
  next: 'bid' | 'silence' | 'fault' = 'bid';
  asksWhenSilent = true;
  #requests = 0;

  constructor(limits: Partial<AdmissionLimits> = {}) {
    super({ ...RATES, ...limits });
    this.desk = new AdmissionControl(
      { ...LIMITS, ...RATES, ...limits },
      {
        clock: this.clock,
        gate: this.gate,
        onEstablished: () => {},
        bidder: {
          answer: (request, admit) => this.#answer(request, admit),
          ended: (requester, requestId) => void this.ended.push(`${requester}/${requestId}`),
        },
      },
    );
  }

  async request(requester: string, requestId = `request-${(this.#requests += 1)}`): Promise<Answer> {
    return this.desk.answer(evidence('bid-request', requestOf({ requestId }), requester));
  }

  async #answer(request: Evidence<BidRequest>, admit: () => Admission = () => 'in'): Promise<Answer> {
    if (this.next === 'silence' && !this.asksWhenSilent) return { kind: 'silence', reason: 'not for us' };
    const admission = admit();
    this.admissions.push(admission);
    await Promise.resolve();
    if (this.next === 'fault') throw new Error('the disk is full');
    if (admission !== 'in' || this.next === 'silence') return { kind: 'silence', reason: 'no' };
    return {
      kind: 'bid',
      bid: bidOf(LIMITS.negotiations.toString(), { requestId: request.value.requestId }),
      durable: Promise.resolve(),
    };
  }
}

describe('the seats of open negotiations', () => {
  it('are taken by bids and given back when these end', async () => {
    const world = new DeskWorld();
    await world.request('a', 'one');
    await world.request('a', 'two');
    expect(await world.request('a', 'three')).toMatchObject({ kind: 'silence' });
    expect(world.admissions.at(-1)).toMatchObject({
      code: 'BUSY',
      retryable: true,
      retryAfterMs: LIMITS.seatRetryMs,
    });
    expect(world.desk.openNegotiations).toBe(2);
    world.desk.ended('a', 'one');
    expect(await world.request('a', 'four')).toMatchObject({ kind: 'bid' });
    expect(world.ended).toEqual(['a/one']);
  });

  it('are given back once, however often an end is told', async () => {
    const world = new DeskWorld();
    await world.request('a', 'one');
    world.desk.ended('a', 'one');
    world.desk.ended('a', 'one');
    world.desk.ended('b', 'one');
    expect(world.desk.openNegotiations).toBe(0);
  });

  it('are taken while a bid is being decided, and given back when there is none', async () => {
    const world = new DeskWorld();
    const deciding = [world.request('a'), world.request('a'), world.request('a')];
    expect(world.desk.openNegotiations).toBe(2);
    const answers = await Promise.all(deciding);
    expect(answers.map(({ kind }) => kind)).toEqual(['bid', 'bid', 'silence']);
    for (const next of ['silence', 'fault'] as const) {
      world.next = next;
      await world.request('b').catch(() => {});
      expect(world.desk.openNegotiations).toBe(2);
    }
  });

  it('are not taken by requests that this node would not answer anyway', async () => {
    const world = new DeskWorld();
    world.next = 'silence';
    world.asksWhenSilent = false;
    await world.request('a');
    expect(world.admissions).toEqual([]);
    expect(world.desk.openNegotiations).toBe(0);
  });

  it('are kept in part for regulars', async () => {
    const world = new DeskWorld();
    world.gate.kept('established');
    for (const requester of ['a', 'b', 'c', 'd']) await world.request(requester);
    expect(world.desk.openNegotiations).toBe(LIMITS.negotiations - LIMITS.negotiationsOfEstablished);
    expect(await world.request('established')).toMatchObject({ kind: 'bid' });
    expect(await world.request('established')).toMatchObject({ kind: 'silence' });
  });

  it('are fewer for who is thought less of, but one at least', () => {
    const seats = new NegotiationSeats({ ...LIMITS, negotiations: 100, negotiationsPerRequester: 10 });
    const taken = (requester: string, reputation: number): number => {
      let count = 0;
      while (seats.take({ requester, established: false, reputation })) count += 1;
      return count;
    };
    expect([taken('good', 1000), taken('so-so', 300), taken('bad', 1)]).toEqual([10, 3, 1]);
  });
});

it('tells only now and then that there is no seat', async () => {
  const world = new DeskWorld();
  for (let index = 0; index < 5; index += 1) await world.request('a');
  expect(world.admissions.slice(2)).toMatchObject([{ code: 'BUSY' }, 'unheard', 'unheard']);
});

it('shuts out who goes on over its rate, also where this node would not answer', async () => {
  const world = new DeskWorld();
  world.next = 'silence';
  world.asksWhenSilent = false;
  for (let index = 0; index < 1000; index += 1) await world.request('a');
  expect(world.gate.standing('a')).toBe('stranger');
  await world.request('a');
  expect(world.gate.standing('a')).toBe('shut');
});

describe('strangers', () => {
  const apart = (): DeskWorld =>
    new DeskWorld({ strangersApartMs: 20, negotiations: 100, negotiationsPerRequester: 50 });

  it('are looked into one after the other, some time apart, and as many wait as may', async () => {
    const world = apart();
    const kinds: string[] = [];
    for (const requester of ['a', 'b', 'c', 'd'])
      void world.request(requester).then(({ kind }) => kinds.push(`${requester} ${kind}`));
    await settled();
    expect(kinds.toSorted()).toEqual(['a bid', 'd silence']);
    expect(world.admissions).toContainEqual(
      // The time that those before it in the line need.
      expect.objectContaining({ code: 'BUSY', retryAfterMs: 20 * LIMITS.strangersWaiting }),
    );
    world.clock.advance(19);
    await settled();
    expect(kinds).toHaveLength(2);
    world.clock.advance(1);
    await settled();
    expect(kinds.at(-1)).toBe('b bid');
    world.clock.advance(20);
    await settled();
    expect(kinds.at(-1)).toBe('c bid');
  });

  it('do not keep regulars waiting', async () => {
    const world = apart();
    world.gate.kept('established');
    void world.request('a');
    void world.request('b');
    expect(await world.request('established')).toMatchObject({ kind: 'bid' });
    expect(await world.request('established')).toMatchObject({ kind: 'bid' });
  });

  it('have their turn after one whose answer failed', async () => {
    const world = apart();
    world.next = 'fault';
    await world.request('a').catch(() => {});
    world.next = 'bid';
    const second = world.request('b');
    await settled();
    world.clock.advance(20);
    expect(await second).toMatchObject({ kind: 'bid' });
  });
});

it('spends the rate of a requester also where this node would not answer', async () => {
  const world = new DeskWorld();
  world.next = 'silence';
  world.asksWhenSilent = false;
  for (let index = 0; index < 1000; index += 1) await world.request('a');
  expect(world.gate.counts('a')).toBe(false);
});
