import { beforeEach, describe, expect, it } from 'vitest';
import type { Decline } from '../../../../src/domain/market/bid.ts';
import { executionIdOf } from '../../../../src/domain/market/execution.ts';
import { MODULE_CID, RESOURCES } from '../../fakes/market.ts';
import { BiddingDesk, EXECUTION, INVOCATION } from '../bidding/bidding-desk.ts';

const MIB = 2 ** 20;
const RESERVE_BYTES = 16 * MIB;

let desk: BiddingDesk;

beforeEach(() => {
  desk = new BiddingDesk();
});

async function refusal(changes: Parameters<BiddingDesk['answer']>[0] = {}): Promise<Decline> {
  const answer = await desk.answer(changes);
  if (answer.kind !== 'decline') throw new Error(`no decline but ${answer.kind}`);
  return answer.decline.value;
}

/** What was looked at is believed for a second. */
async function later(): Promise<void> {
  await desk.clock.advanceBy(1000);
}

const NEXT = { requestId: 'round-2' };

describe('a bid for which there is no room', () => {
  it('is none: the full disk is named with its setting, until there is room', async () => {
    desk.diskBytes = RESERVE_BYTES + RESOURCES.diskBytes - 1;
    expect(await refusal()).toMatchObject({
      code: 'INSUFFICIENT_RESOURCES',
      field: 'dataDir',
      retryable: true,
      message: expect.stringContaining('The disk of this node is full (dataDir)'),
    });
    expect(desk.shortages).toBe(1);
    desk.diskBytes += 1;
    await later();
    expect((await desk.answer(NEXT)).kind).toBe('bid');
  });

  it('is none where the content store is full', async () => {
    desk.contentBytes = 5 * MIB;
    expect(await refusal({ inputBytes: 5 * MIB })).toMatchObject({
      code: 'INSUFFICIENT_RESOURCES',
      field: 'limits.contentQuotaBytes',
      retryable: true,
      message: expect.stringContaining('(limits.contentQuotaBytes)'),
    });
    expect((await desk.answer({ ...NEXT, inputBytes: 4 * MIB })).kind).toBe('bid');
    desk.contentBytes = 0;
    expect(await refusal({ requestId: 'round-3' })).toMatchObject({ field: 'limits.contentQuotaBytes' });
  });

  it('says that there will never be room for inputs beyond the whole quota', async () => {
    desk.contentQuotaBytes = 8 * MIB;
    expect(await refusal({ inputBytes: 8 * MIB })).toMatchObject({
      retryable: false,
      required: '8 MiB',
      available: '8 MiB',
    });
  });

  it('counts what is set aside for others, and offers no more places than the disk has', async () => {
    desk.diskBytes = RESERVE_BYTES + 2 * RESOURCES.diskBytes;
    const first = await desk.bid({ slots: 3 });
    expect(first.slots).toBe(2);
    await desk.lock(first);
    await later();
    expect((await desk.bid({ ...NEXT, slots: 3 })).slots).toBe(1);
  });

  it('is made where nobody knows how much is free', async () => {
    desk.diskBytes = undefined;
    expect((await desk.answer()).kind).toBe('bid');
  });

  it('is none after a refused write, until the disk takes one again', async () => {
    desk.room.refused('EDQUOT');
    expect(await refusal()).toMatchObject({ field: 'dataDir', message: expect.stringContaining('EDQUOT') });
    let refused = true;
    desk.trial = async () => {
      if (refused) throw Object.assign(new Error('no'), { code: 'EROFS' });
    };
    await desk.clock.advanceBy(30_000);
    expect(await refusal(NEXT)).toMatchObject({ message: expect.stringContaining('EROFS') });
    refused = false;
    await desk.clock.advanceBy(30_000);
    expect((await desk.answer({ requestId: 'round-3' })).kind).toBe('bid');
  });

  it('does not wait long for a disk that does not answer', async () => {
    const content = { room: () => ({ freeBytes: 1, quotaBytes: 1 }) };
    const { Room } = await import('../../../../src/provider/resources/room.ts');
    const room = new Room({
      clock: desk.clock,
      content,
      folders: { tryWrite: async () => {} },
      disk: { freeBytes: () => new Promise(() => {}) },
    });
    const looked = room.look();
    await desk.clock.advanceBy(1000);
    await expect(looked).resolves.toMatchObject({ diskBytes: undefined });
  });
});

describe('a proposal for whose inputs there is no room', () => {
  const large = {
    ...INVOCATION,
    inputs: [{ target: '/inputs/big', content: { cid: `${MODULE_CID}`.replace(/u$/, 'a'), size: 5 * MIB } }],
  };

  it('is declined, whatever the request said of them, and nothing of it is kept', async () => {
    const bid = await desk.locked();
    desk.contentBytes = 4 * MIB;
    const answer = await desk.contracts.accept('requester', desk.proposal(bid, {}, large), bid);
    expect(answer).toMatchObject({
      type: 'decline',
      value: { stage: 'contract', field: 'limits.contentQuotaBytes', retryable: true },
    });
    expect(desk.accepted).toEqual([]);
    expect(desk.room.seen().expectedBytes).toBe(0);
  });

  it('is taken where they are here already', async () => {
    for (const { content } of large.inputs) desk.here.set(content.cid, content.size);
    desk.here.set(MODULE_CID, 8);
    const bid = await desk.locked();
    desk.contentBytes = MIB;
    const answer = await desk.contracts.accept('requester', desk.proposal(bid, {}, large), bid);
    expect(answer).toHaveProperty('contractId');
  });

  it('counts the inputs of other work that are on their way, each once', async () => {
    const bid = await desk.locked({ slots: 2 });
    await desk.contracts.accept('requester', desk.proposal(bid, {}, large), bid);
    expect(desk.accepted.map(({ item }) => item.executionId)).toEqual([EXECUTION]);
    expect(desk.room.seen().expectedBytes).toBe(5 * MIB + 8);
    desk.contentBytes = 6 * MIB;
    expect(await refusal({ requestId: 'other', jobId: 'another', inputBytes: MIB })).toMatchObject({
      field: 'limits.contentQuotaBytes',
    });
    // The same job brings nothing new.
    const more = await desk.answer({ requestId: 'more', inputBytes: 5 * MIB });
    expect(more.kind).toBe('bid');
    desk.room.arrived(executionIdOf('job', 1, { partition: 0, replica: 0 }, 1));
    expect(desk.room.seen().expectedBytes).toBe(0);
  });
});
