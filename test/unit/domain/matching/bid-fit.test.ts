import { describe, expect, it } from 'vitest';
import { bidMessage } from '../../../../src/messages/bid.ts';
import { fitAfter } from '../../../../src/domain/matching/bid-fit.ts';
import { bidOf, device, GIB, resources } from '../market-values.ts';

const onboarded = resources({ gpus: [device(0), device(1), device(2)] });
const JOB = { cpuMillis: 2000, memoryBytes: 4 * GIB, diskBytes: 50 * GIB, gpus: [{ count: 1 }] };

describe('the fit in a bid', () => {
  it('says what stays free of what is offered, with the job on the machine', () => {
    const free = resources({ cpuMillis: 6000, memoryBytes: 12 * GIB, gpus: [device(1), device(2)] });
    expect(fitAfter(JOB, { onboarded, free })).toEqual({
      cpuFree: 0.5,
      memoryFree: 0.5,
      diskFree: 0.5,
      gpusFree: 1,
      gpus: 3,
    });
  });

  it('is left out when there is no room, and 0 of what is not offered at all', () => {
    expect(fitAfter(JOB, { onboarded, free: resources() })).toBeUndefined();
    const none = resources({ diskBytes: 0 });
    const job = { ...JOB, diskBytes: 0, gpus: [] };
    expect(fitAfter(job, { onboarded: none, free: none })).toMatchObject({ diskFree: 0, gpus: 0 });
  });

  it('travels, unless it says more than there can be', () => {
    const fit = { cpuFree: 0.5, memoryFree: 0, diskFree: 1, gpusFree: 1, gpus: 1 };
    const taken = (changes: Partial<typeof fit>): boolean =>
      bidMessage.schema.safeParse(bidOf('a', { fit: { ...fit, ...changes } }).value).success;
    expect(taken({})).toBe(true);
    for (const bad of [{ gpusFree: 2 }, { cpuFree: 1.1 }, { diskFree: -1 }, { gpus: 1e6 }])
      expect({ bad, taken: taken(bad) }).toEqual({ bad, taken: false });
  });
});
