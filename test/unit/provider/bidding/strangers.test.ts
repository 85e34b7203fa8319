import { fc, it } from '@fast-check/vitest';
import { beforeEach, describe, expect } from 'vitest';
import { executionIdOf } from '../../../../src/domain/market/execution.ts';
import { addResources, NO_RESOURCES, type Resources } from '../../../../src/domain/units/resources.ts';
import { strangersFree } from '../../../../src/provider/locks/strangers-share.ts';
import { defaultProviderLimits } from '../../../../src/provider/options.ts';
import { MODULE_CID, REQUESTER, requestOf } from '../../fakes/market.ts';
import { BiddingDesk, EXECUTION, INVOCATION, ONBOARDED } from './bidding-desk.ts';

const { strangers } = defaultProviderLimits;

/** A request for so much, and for hardly anything else. */
function asking(cpuMillis: number, more: Parameters<typeof requestOf>[0] = {}): typeof more {
  const { requirements } = requestOf();
  const resources = { cpuMillis, memoryBytes: 1, diskBytes: 0, gpus: [] };
  return { requirements: { ...requirements, resources }, ...more };
}

let desk: BiddingDesk;

beforeEach(() => {
  desk = new BiddingDesk();
  desk.isKept = true;
  desk.regulars.add('established');
});

/** Asks for bids and for a lock; the code of the refusal, or `locked`. */
async function take(requester: string, cpuMillis: number, requestId: string, place = 0): Promise<string> {
  const answer = await desk.answer(asking(cpuMillis, { requestId }), requester);
  if (answer.kind === 'decline') return answer.decline.value.code;
  if (answer.kind !== 'bid') return answer.reason;
  const executionId = executionIdOf('job', 1, { partition: place, replica: 0 }, 1);
  const lock = await desk.lock(answer.bid.value, { executionId }, requester);
  return lock.type === 'bid' ? 'locked' : (lock.value as { code: string }).code;
}

describe('what strangers hold together', () => {
  it('leaves a share to regulars, and they are told how much is left to them', async () => {
    const answer = await desk.answer(asking(1570), 'stranger');
    expect(answer).toMatchObject({
      kind: 'decline',
      decline: {
        value: {
          code: 'KEPT_SHARE',
          field: 'cpu',
          required: '1570m',
          available: '1280m',
          retryable: true,
          message: expect.stringContaining('provider.establishedPercent'),
        },
      },
    });
    expect(desk.shortages).toBe(1);
    expect((await desk.answer(asking(1570), 'established')).kind).toBe('bid');
  });

  it('is everything where there is nobody to keep a share for', async () => {
    desk.isKept = false;
    expect(await take('newcomer', 1600, 'r')).toBe('locked');
  });

  it('counts locks of many identities that hold a bit each', async () => {
    const taken = [];
    for (let each = 0; each < 20; each += 1) taken.push(await take(`stranger-${each}`, 160, `r${each}`));
    expect(taken.slice(0, 8)).toEqual(Array(8).fill('locked'));
    expect(new Set(taken.slice(8))).toEqual(new Set(['KEPT_SHARE']));
    expect(await take('established', 320, 'mine')).toBe('locked');
    expect(desk.ledger.free().cpuMillis).toBe(0);
  });

  it('says that others have it, where that is what is in the way', async () => {
    expect(await take('established', 1600, 'mine')).toBe('locked');
    expect(await take('stranger', 160, 'r')).toBe('INSUFFICIENT_RESOURCES');
  });

  it.prop([
    fc.array(fc.record({ who: fc.nat(5), cpuMillis: fc.integer({ min: 1, max: 900 }), ends: fc.boolean() }), {
      maxLength: 40,
    }),
  ])('never takes the share of regulars, whoever asks for what and lets it go', async (steps) => {
    desk = new BiddingDesk();
    desk.isKept = true;
    desk.regulars.add('peer-0');
    for (const [index, { who, cpuMillis, ends }] of steps.entries()) {
      await take(`peer-${who}`, cpuMillis, `r${index}`);
      if (ends) desk.bidder.ended(`peer-${who}`, `r${index}`);
      const held = desk.ledger
        .leases()
        .flatMap(({ holder, resources }) => (holder === 'peer-0' ? [] : [resources]))
        .reduce(addResources, NO_RESOURCES);
      expect(held.cpuMillis).toBeLessThanOrEqual(1280);
    }
  });
});

describe('whose contracts do not begin', () => {
  /** The most that it is given, when nothing else is here. */
  async function mostOf(requester: string, requestId: string): Promise<number> {
    for (let cpuMillis = 1280; cpuMillis > 0; cpuMillis -= 10) {
      const got = await take(requester, cpuMillis, `${requestId}/${cpuMillis}`);
      if (got === 'locked') return cpuMillis;
    }
    return 0;
  }

  it('has less of the machine each time, and so have new identities from its network', async () => {
    const had: number[] = [];
    for (let round = 0; round < 10; round += 1) {
      desk.prefixes.set(`s${round}`, '192.0.2.0/24');
      had.push(await mostOf(`s${round}`, `r${round}`));
      for (const { lockId } of desk.ledger.leases()) {
        desk.allotment.neverBegun(lockId);
        desk.ledger.release(lockId);
      }
    }
    // A crash or two are nobody's fault.
    expect(had.slice(0, 3)).toEqual([1280, 1280, 1280]);
    expect(had[3]).toBeLessThan(640);
    expect(had).toEqual(had.toSorted((a, b) => b - a));
    expect(had.at(-1)).toBeLessThan(320);
    desk.prefixes.set('neighbour', '198.51.100.0/24');
    expect(await take('neighbour', 1280, 'n')).toBe('locked');
  });

  it('has no less where nobody else needs it', async () => {
    desk.reputations.set('bad', 100);
    expect(await take('bad', 1280, 'kept')).toBe('KEPT_SHARE');
    desk.isKept = false;
    expect(await take('bad', 1280, 'idle')).toBe('locked');
  });
});

describe('devices', () => {
  const device = (index: number): Resources['gpus'][number] => ({
    index,
    vendor: 'nvidia',
    model: 'model',
    vramBytes: 1,
  });
  const withDevices = (...indexes: number[]): Resources => ({ ...ONBOARDED, gpus: indexes.map(device) });
  const left = (
    count: number,
    free: Resources,
    ofStrangers: readonly Resources[],
    keptPercent = 20,
  ): number =>
    strangersFree({ onboarded: withDevices(0, 1, 2), free, ofStrangers, keptPercent }, [{ count }]).gpus
      .length;

  it.each([
    ['all of them but one', 2, withDevices(0, 1, 2), [], 20, 3],
    ['not the last one', 3, withDevices(0, 1, 2), [], 20, 2],
    ['none, when strangers have all of theirs', 1, withDevices(2), [withDevices(0, 1)], 20, 0],
    ['any that is free, when others have the rest', 1, withDevices(2), [withDevices(0)], 20, 1],
    ['all of them, where nothing is kept', 3, withDevices(0, 1, 2), [], 0, 3],
  ])('strangers can have %s', (_, count, free, ofStrangers, percent, expected) => {
    expect(left(count, free, ofStrangers, percent)).toBe(expected);
  });

  it('that are alone are anybody’s', () => {
    const onboarded = withDevices(0);
    const state = { onboarded, free: onboarded, ofStrangers: [], keptPercent: 20 };
    expect(strangersFree(state, [{ count: 1 }]).gpus).toHaveLength(1);
  });
});

describe('what strangers hold without using it', () => {
  beforeEach(() => {
    desk.isKept = false;
  });

  async function takeMany(requester: string, most: number): Promise<number> {
    for (let place = 0; place < most; place += 1) {
      const got = await take(requester, 1, `${requester}/${place}`, place);
      if (got === 'BUSY') return place;
      expect(got).toBe('locked');
    }
    return most;
  }

  it('is bounded for each of them, and what has begun does not count', async () => {
    expect(await takeMany('stranger', 100)).toBe(strangers.unbegunPerStranger);
    desk.begun.add(executionIdOf('job', 1, { partition: 0, replica: 0 }, 1));
    expect(await take('stranger', 1, 'one more', 99)).toBe('locked');
    expect(await take('stranger', 1, 'and another', 98)).toBe('BUSY');
  });

  it('is not bounded for regulars', async () => {
    expect(await takeMany('established', 100)).toBe(100);
  });

  it('is less for who has let contracts not begin, one at least', async () => {
    desk.reputations.set('bad', 500).set('worst', 1);
    expect(await takeMany('bad', 100)).toBe(strangers.unbegunPerStranger / 2);
    expect(await takeMany('worst', 100)).toBe(1);
  });

  it('is bounded for all that come from one network, and less once it is known for that', async () => {
    for (let each = 0; each < 100; each += 1) desk.prefixes.set(`s${each}`, '192.0.2.0/24');
    const taken = async (from: number): Promise<number> => {
      let count = 0;
      for (let each = from; each < 100; each += 1)
        if ((await take(`s${each}`, 1, `r${each}`)) === 'locked') count += 1;
      return count;
    };
    expect(await taken(0)).toBe(strangers.unbegunPerPrefix);
    expect(await take('elsewhere', 1, 'r')).toBe('locked');
    for (const { lockId } of desk.ledger.leases()) desk.allotment.neverBegun(lockId);
    for (let each = 0; each < 100; each += 1) desk.bidder.ended(`s${each}`, `r${each}`);
    expect(await taken(0)).toBeLessThan(strangers.unbegunPerPrefix / 4);
  });

  it('is nothing more where they leave too many contracts without taking their end', async () => {
    desk.unsettled = Array(strangers.unsettled).fill('stranger');
    expect(await take('stranger', 1, 'r')).toBe('BUSY');
    expect(await take('established', 1, 'mine')).toBe('locked');
    desk.unsettled[0] = 'established';
    expect(await take('stranger', 1, 'another')).toBe('locked');
  });

  it('is offered as places of a bid', async () => {
    const bid = await desk.bid(asking(1, { slots: 100 }), 'stranger');
    expect(bid.slots).toBe(strangers.unbegunPerStranger);
    expect((await desk.bid(asking(1, { slots: 100 }), 'established')).slots).toBe(100);
  });

  it('cannot be renewed for ever: a lock is held no longer than its bid stands, and its own time', async () => {
    const bid = await desk.bid(asking(100), 'stranger');
    const { bidValidMs, lockTtlMs } = defaultProviderLimits;
    const heldFor = [];
    for (let second = 0; second < 120; second += 1) {
      await desk.lock(bid, {}, 'stranger');
      await desk.clock.advanceBy(1000);
      if (desk.ledger.leases().length > 0) heldFor.push(second * 1000);
    }
    expect(Math.max(...heldFor)).toBeLessThanOrEqual(bidValidMs + lockTtlMs);
  });

  it('is told of when a lock that was asked for was held for long, in vain', async () => {
    const bid = await desk.bid(asking(100), 'stranger');
    await desk.lock(bid, {}, 'stranger');
    desk.bidder.ended('stranger', bid.requestId);
    expect(desk.unused).toMatchObject([{ holder: 'stranger', executionId: EXECUTION }]);
  });
});

describe('what strangers may ask of a contract', () => {
  const LONG = {
    orphanAfterMs: strangers.longestOrphanAfterMs + 1,
    retentionMs: strangers.longestRetentionMs + 1,
  };

  it.each([
    ['terms.orphanAfterMs', { orphanAfterMs: LONG.orphanAfterMs }],
    ['terms.retentionMs', { retentionMs: LONG.retentionMs }],
  ])('is less than what regulars may: %s', async (field, changes) => {
    const bid = await desk.locked();
    const answer = await desk.contracts.accept(REQUESTER, desk.proposal(bid, changes), bid);
    expect(answer).toMatchObject({ value: { code: 'POLICY', field } });
    desk.regulars.add(REQUESTER);
    const accepted = await desk.contracts.accept(REQUESTER, desk.proposal(bid, changes), bid);
    expect(accepted).toHaveProperty('contractId');
  });

  it('is no more than their share of the content store, with what earlier contracts left there', async () => {
    desk.contentQuotaBytes = 1_000_000;
    desk.contentBytes = 1_000_000;
    const bid = await desk.locked();
    await desk.contracts.accept(REQUESTER, desk.proposal(bid), bid);
    const [execution] = desk.accepted;
    if (execution === undefined) throw new Error('no contract');
    desk.accepted[0] = {
      ...execution,
      item: { ...execution.item, state: 'Publishing', resultBytes: 799_000 },
    };
    const request = { requestId: 'next', jobId: 'another', inputBytes: 2000 };
    expect(await desk.answer(request, 'another')).toMatchObject({
      decline: { value: { code: 'KEPT_SHARE', field: 'limits.contentQuotaBytes', retryable: true } },
    });
    expect((await desk.answer(request, 'established')).kind).toBe('bid');
    desk.accepted[0] = { ...desk.accepted[0], settled: true };
    expect((await desk.answer({ ...request, requestId: 'third' }, 'another')).kind).toBe('bid');
  });

  it('is refused at the contract as well, where the inputs are seen', async () => {
    desk.contentQuotaBytes = 10_000_000;
    desk.contentBytes = 10_000_000;
    const inputs = [{ target: '/data', content: { cid: MODULE_CID, size: 8_500_000 } }];
    const bid = await desk.locked();
    const proposal = desk.proposal(bid, {}, { ...INVOCATION, inputs });
    const answer = await desk.contracts.accept(REQUESTER, proposal, bid);
    expect(answer).toMatchObject({ value: { code: 'KEPT_SHARE', field: 'limits.contentQuotaBytes' } });
  });
});
