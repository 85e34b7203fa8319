import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import type { Lease } from '../../../../src/domain/market/lock.ts';
import { Desk, gpu, ONBOARDED } from './desk.ts';

const ttlMs = fc.integer({ min: 1, max: 500 });
/** Which of the leases that live: counted around. */
const at = fc.nat(9);

const step = fc.oneof(
  fc.record({
    kind: fc.constant('hold' as const),
    cpu: fc.integer({ min: 0, max: 1500 }),
    gpus: fc.integer({ min: 0, max: 2 }),
    ttlMs,
  }),
  fc.record({ kind: fc.constant('renew' as const), at, ttlMs }),
  fc.record({ kind: fc.constant('commit' as const), at, ttlMs }),
  fc.record({ kind: fc.constant('take over' as const), at, ttlMs }),
  fc.record({ kind: fc.constant('release' as const), at }),
  fc.record({
    kind: fc.constant('adopt' as const),
    cpu: fc.integer({ min: 0, max: 3000 }),
    gpus: fc.uniqueArray(fc.integer({ min: 0, max: 3 }), { maxLength: 2 }),
    ttlMs,
  }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 300 }) }),
);

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** Carries steps out, and knows by itself which leases there have to be. */
class Play {
  readonly desk = new Desk();
  readonly endsAtMs = new Map<string, number>();
  readonly ended = new Map<string, 'released' | 'expired'>();
  readonly versions: number[] = [];
  #adopted = 0;

  async take(next: Step): Promise<void> {
    const { ledger } = this.desk;
    const live = ledger.leases();
    const chosen = 'at' in next ? live[next.at % Math.max(1, live.length)] : undefined;
    const held = chosen?.state === 'held' ? chosen : undefined;
    if (next.kind === 'hold') {
      const lease = this.desk.hold({ ...next, executionId: 'bid' });
      if (lease !== undefined) this.#begun(lease, lease.version);
    } else if (next.kind === 'renew' && held !== undefined) {
      this.#goesOn(held, ledger.renew(held.lockId, next.ttlMs), next.ttlMs);
    } else if (next.kind === 'commit' && held !== undefined) {
      this.#goesOn(held, ledger.commit(held.lockId, held.executionId, next.ttlMs), next.ttlMs);
    } else if (next.kind === 'take over' && held !== undefined) {
      // A lock that came with a bid: the execution that asks renews it, and is the one it is committed to.
      ledger.renew(held.lockId, 500);
      const taken = ledger.commit(held.lockId, 'execution', next.ttlMs);
      expect(taken.executionId).toBe('execution');
      this.#goesOn(held, taken, next.ttlMs);
    } else if (next.kind === 'release' && chosen !== undefined) {
      ledger.release(chosen.lockId);
      this.#end(chosen.lockId, 'released');
    } else if (next.kind === 'adopt') {
      const lease = this.#stored(next);
      if (ledger.adopt(lease)) this.#begun(lease);
    } else if (next.kind === 'wait') {
      await this.wait(next.ms);
    }
  }

  async wait(ms: number): Promise<void> {
    await this.desk.clock.advanceBy(ms);
    for (const [lockId, endsAtMs] of this.endsAtMs)
      if (endsAtMs <= this.desk.clock.monotonicMs()) this.#end(lockId, 'expired');
  }

  /** Nothing is given twice, amount by amount and device by device, and exactly the right leases live. */
  check(): void {
    const { ledger, expired } = this.desk;
    const leases = ledger.leases();
    const { locked, allocated, free, onboarded } = ledger.pools();
    for (const amount of ['cpuMillis', 'memoryBytes', 'diskBytes'] as const) {
      const inLeases = leases.reduce((sum, { resources }) => sum + resources[amount], 0);
      expect(locked[amount] + allocated[amount]).toBe(inLeases);
      expect(inLeases).toBeLessThanOrEqual(onboarded[amount]);
      expect(inLeases + free[amount]).toBe(onboarded[amount]);
    }
    const given = [...locked.gpus, ...allocated.gpus, ...free.gpus].map(({ index }) => index);
    expect(
      given.toSorted((a, b) => a - b),
      'each device is in one place',
    ).toEqual(onboarded.gpus.map(({ index }) => index));
    const devices = leases.flatMap(({ resources }) => resources.gpus.map(({ index }) => index));
    expect(new Set(devices).size, 'a device is given twice').toBe(devices.length);
    expect(leases.map(({ lockId }) => lockId).toSorted()).toEqual([...this.endsAtMs.keys()].toSorted());
    expect(expired.map(({ lockId }) => lockId).toSorted()).toEqual(
      [...this.ended].flatMap(([lockId, how]) => (how === 'expired' ? [lockId] : [])).toSorted(),
    );
  }

  #stored(next: Extract<Step, { kind: 'adopt' }>): Lease {
    return {
      lockId: `adopted-${(this.#adopted += 1)}`,
      holder: 'requester',
      jobId: 'job',
      executionId: 'execution',
      resources: { cpuMillis: next.cpu, memoryBytes: 0, diskBytes: 0, gpus: next.gpus.map(gpu) },
      version: this.#adopted,
      acquiredAt: this.desk.clock.nowMs(),
      ttlMs: next.ttlMs,
      state: 'committed',
    };
  }

  #begun(lease: Lease, version?: number): void {
    expect(this.ended.has(lease.lockId) || this.endsAtMs.has(lease.lockId), 'an id comes once').toBe(false);
    this.#runsFor(lease.lockId, lease.ttlMs);
    if (version !== undefined) this.versions.push(version);
  }

  #goesOn(before: Lease, after: Lease, forMs: number): void {
    expect(after).toMatchObject({ version: before.version, resources: before.resources });
    this.#runsFor(before.lockId, forMs);
  }

  #runsFor(lockId: string, forMs: number): void {
    this.endsAtMs.set(lockId, this.desk.clock.monotonicMs() + forMs);
  }

  #end(lockId: string, how: 'released' | 'expired'): void {
    this.endsAtMs.delete(lockId);
    this.ended.set(lockId, how);
  }
}

describe('whatever is held, renewed, taken over, committed, adopted, released and expired', () => {
  test.prop([fc.array(step, { maxLength: 60 })])(
    'nothing is given twice, and everything ends when it has to',
    async (steps) => {
      const play = new Play();
      for (const next of steps) {
        await play.take(next);
        play.check();
      }
      expect(play.versions, 'versions grow').toEqual([...new Set(play.versions)].toSorted((a, b) => a - b));
      await play.wait(10_000);
      play.check();
      expect(play.desk.ledger.leases()).toEqual([]);
      expect(play.desk.ledger.free()).toEqual(ONBOARDED);
    },
  );
});
