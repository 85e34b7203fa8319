import { beforeEach, describe, expect, it } from 'vitest';
import type { Lease } from '../../../../src/domain/market/lock.ts';
import { Desk, gpu, ONBOARDED } from './desk.ts';

let desk: Desk;

describe('a renewed lease', () => {
  it('keeps its id and version, and has its whole time once more', async () => {
    const lease = desk.held({ ttlMs: 1000 });
    await desk.clock.advanceBy(600);
    const renewed = desk.ledger.renew(lease.lockId, 1000);
    expect(renewed).toEqual({ ...lease, acquiredAt: desk.clock.nowMs() });
    expect(desk.ledger.leases()).toEqual([renewed]);
    expect(desk.ledger.remainingMs(lease.lockId)).toBe(1000);
    await desk.clock.advanceBy(999);
    expect(desk.ledger.find(lease.lockId, 'requester', lease.version)).toEqual(renewed);
    await desk.clock.advanceBy(1);
    expect(desk.expired).toEqual([{ ...renewed, state: 'expired' }]);
    expect(desk.ledger.free()).toEqual(ONBOARDED);
  });

  it('is not one that is committed', () => {
    const lease = desk.held();
    desk.ledger.commit(lease.lockId, 'execution', 5000);
    expect(() => desk.ledger.renew(lease.lockId, 1000)).toThrow(/committed cannot become held/);
    expect(desk.ledger.leases()).toHaveLength(1);
  });
});

beforeEach(() => {
  desk = new Desk();
});

describe('the ledger', () => {
  it('says when capacity may be back: with the first lease that ends', async () => {
    expect(desk.ledger.retryAfter()).toEqual({});
    desk.held({ ttlMs: 5000 });
    desk.held({ ttlMs: 2000, gpus: 2 });
    await desk.clock.advanceBy(500);
    expect(desk.hold({ gpus: 1 })).toBeUndefined();
    expect(desk.ledger.retryAfter()).toEqual({ retryAfterMs: 1500 });
    await desk.clock.advanceBy(1500);
    expect(desk.ledger.retryAfter()).toEqual({ retryAfterMs: 3000 });
  });

  it('sets aside, and gives back', () => {
    const lease = desk.held({ cpu: 1500 });
    expect(desk.ledger.pools()).toMatchObject({ locked: { cpuMillis: 1500 }, free: { cpuMillis: 500 } });
    expect(desk.hold({ cpu: 600 })).toBeUndefined();
    expect(desk.ledger.release(lease.lockId)).toEqual({ ...lease, state: 'released' });
    expect(desk.ledger.free()).toEqual(ONBOARDED);
    expect(desk.ledger.release(lease.lockId)).toBeUndefined();
  });

  it('two holders race for the last GPU: one gets it', () => {
    const first = desk.held({ gpus: 1, holder: 'a' });
    const second = desk.held({ gpus: 1, holder: 'b' });
    expect([first, second].flatMap(({ resources }) => resources.gpus.map(({ index }) => index))).toEqual([
      0, 1,
    ]);
    expect(desk.hold({ gpus: 1, holder: 'c' })).toBeUndefined();
    desk.ledger.release(first.lockId);
    expect(desk.held({ gpus: 1, holder: 'c' }).resources.gpus).toEqual(first.resources.gpus);
  });

  it('expires a lease that nobody committed, and tells of it once', async () => {
    const lease = desk.held();
    await desk.clock.advanceBy(999);
    expect(desk.expired).toEqual([]);
    await desk.clock.advanceBy(1);
    expect(desk.expired).toEqual([{ ...lease, state: 'expired' }]);
    expect(desk.ledger.free()).toEqual(ONBOARDED);
    await desk.clock.advanceBy(10_000);
    expect(desk.expired).toHaveLength(1);
  });

  it('does not expire what was released', async () => {
    desk.ledger.release(desk.held().lockId);
    await desk.clock.advanceBy(10_000);
    expect(desk.expired).toEqual([]);
  });

  it('finds a lease for its holder and its very version only', () => {
    const lease = desk.held();
    expect(desk.ledger.find(lease.lockId, 'requester', lease.version)).toEqual(lease);
    expect(desk.ledger.find(lease.lockId, 'somebody', lease.version)).toBeUndefined();
    expect(desk.ledger.find(lease.lockId, 'requester', lease.version - 1)).toBeUndefined();
    expect(desk.ledger.find('other', 'requester', lease.version)).toBeUndefined();
  });

  it('gives every lease a higher version, also after a restart', () => {
    const before = desk.held();
    expect(desk.held().version).toBeGreaterThan(before.version);
    const restarted = new Desk(41);
    expect(restarted.held().version).toBe(42);
    restarted.ledger.adopt({ ...before, lockId: 'old', version: 50, state: 'committed' });
    expect(restarted.held().version).toBe(51);
  });

  it('committing moves the end, and the capacity from locked to allocated', async () => {
    const lease = desk.held();
    await desk.clock.advanceBy(900);
    expect(desk.ledger.remainingMs(lease.lockId)).toBe(100);
    const committed = desk.ledger.commit(lease.lockId, 'winner', 5000);
    expect(committed).toMatchObject({
      state: 'committed',
      executionId: 'winner',
      ttlMs: 5000,
      version: lease.version,
    });
    expect(desk.ledger.remainingMs(lease.lockId)).toBe(5000);
    expect(desk.ledger.pools()).toMatchObject({ locked: { cpuMillis: 0 }, allocated: { cpuMillis: 500 } });
    await desk.clock.advanceBy(4999);
    expect(desk.expired).toEqual([]);
    await desk.clock.advanceBy(1);
    expect(desk.expired).toEqual([{ ...committed, state: 'expired' }]);
  });

  it('cannot commit what is gone, or twice', () => {
    const lease = desk.held();
    desk.ledger.commit(lease.lockId, 'winner', 5000);
    expect(() => desk.ledger.commit(lease.lockId, 'winner', 5000)).toThrow('cannot become committed');
    expect(() => desk.ledger.commit('other', 'winner', 5000)).toThrow('only a live lease');
  });

  it('adopts at start what fits, for what is left of its time', async () => {
    const lease: Lease = {
      ...desk.held(),
      state: 'committed',
      acquiredAt: desk.clock.nowMs() - 4000,
      ttlMs: 5000,
    };
    const restarted = new Desk();
    expect(restarted.ledger.adopt(lease)).toBe(true);
    expect(restarted.ledger.adopt(lease)).toBe(false);
    expect(restarted.ledger.remainingMs(lease.lockId)).toBe(1000);
    const future = { ...lease, lockId: 'future', acquiredAt: restarted.clock.nowMs() + 99_999 };
    expect(restarted.ledger.adopt(future)).toBe(true);
    expect(restarted.ledger.remainingMs('future')).toBe(5000);
  });

  it('does not adopt what is not offered any more', () => {
    const lease = { ...desk.held(), state: 'committed' as const };
    const restarted = new Desk();
    const large = { ...lease, lockId: 'large', resources: { ...lease.resources, cpuMillis: 2001 } };
    const gone = { ...lease, lockId: 'gone', resources: { ...lease.resources, gpus: [gpu(7)] } };
    expect(restarted.ledger.adopt(large)).toBe(false);
    expect(restarted.ledger.adopt(gone)).toBe(false);
    expect(restarted.ledger.free()).toEqual(ONBOARDED);
    expect(() => restarted.ledger.adopt({ ...lease, state: 'held' })).toThrow('only committed leases');
  });

  it('stops its timers', async () => {
    desk.held();
    desk.ledger.stop();
    await desk.clock.advanceBy(10_000);
    expect(desk.expired).toEqual([]);
  });
});
