import type { Lease } from '../../../../src/domain/market/lock.ts';
import type { GpuDevice, Resources } from '../../../../src/domain/units/resources.ts';
import { ResourceLedger } from '../../../../src/provider/locks/ledger.ts';
import { FakeClock } from '../../../simulation/fake-clock.ts';

export const gpu = (index: number): GpuDevice => ({ index, vendor: 'nvidia', model: 'A100', vramBytes: 40 });
export const ONBOARDED: Resources = {
  cpuMillis: 2000,
  memoryBytes: 2000,
  diskBytes: 2000,
  gpus: [gpu(0), gpu(1)],
};

/** A ledger on a clock that is moved by hand. */
export class Desk {
  readonly clock = new FakeClock();
  readonly expired: Lease[] = [];
  readonly ledger: ResourceLedger;
  #ids = 0;

  constructor(highestVersion = 0) {
    this.ledger = new ResourceLedger(
      { machine: ONBOARDED, onboarded: ONBOARDED, highestVersion },
      {
        clock: this.clock,
        newLockId: () => `lock-${(this.#ids += 1)}`,
        onExpired: (lease) => this.expired.push(lease),
      },
    );
  }

  hold(
    wants: { cpu?: number; gpus?: number; ttlMs?: number; holder?: string; executionId?: string } = {},
  ): Lease | undefined {
    const { cpu = 500, gpus = 0, ttlMs = 1000, holder = 'requester', executionId = 'execution' } = wants;
    return this.ledger.hold({
      holder,
      jobId: 'job',
      executionId,
      requirements: {
        cpuMillis: cpu,
        memoryBytes: 100,
        diskBytes: 100,
        gpus: gpus === 0 ? [] : [{ count: gpus }],
      },
      ttlMs,
    });
  }

  held(wants: Parameters<Desk['hold']>[0] = {}): Lease {
    const held = this.hold(wants);
    if (held === undefined) throw new Error('no room');
    return held;
  }
}
