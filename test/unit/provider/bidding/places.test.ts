import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { grant } from '../../../../src/domain/matching/matching.ts';
import { subtractResources, type GpuDevice } from '../../../../src/domain/units/resources.ts';
import { placesIn } from '../../../../src/provider/bidding/places.ts';

const gpu = (index: number): GpuDevice => ({ index, vendor: 'nvidia', model: 'A100', vramBytes: 40 });

describe('places', () => {
  it('are bounded by what is asked for', () => {
    const free = { cpuMillis: 4000, memoryBytes: 4000, diskBytes: 4000, gpus: [] };
    expect(placesIn({ cpuMillis: 1000, memoryBytes: 1, diskBytes: 1, gpus: [] }, free, 3)).toBe(3);
    expect(placesIn({ cpuMillis: 0, memoryBytes: 0, diskBytes: 0, gpus: [] }, free, 3)).toBe(3);
  });

  test.prop([
    fc.record({
      cpuMillis: fc.integer({ min: 0, max: 10 }),
      memoryBytes: fc.integer({ min: 0, max: 10 }),
      diskBytes: fc.integer({ min: 0, max: 10 }),
      gpus: fc.array(fc.record({ count: fc.integer({ min: 1, max: 2 }) }), { maxLength: 2 }),
    }),
    fc.record({
      cpuMillis: fc.nat(30),
      memoryBytes: fc.nat(30),
      diskBytes: fc.nat(30),
      gpus: fc.uniqueArray(fc.nat(4)).map((indexes) => indexes.map(gpu)),
    }),
  ])('are as many as can be granted one after the other', (requirements, free) => {
    let left = free;
    let granted = 0;
    for (
      let next = grant(requirements, left);
      next !== undefined && granted < 8;
      next = grant(requirements, left)
    ) {
      left = {
        ...subtractResources(left, next),
        gpus: subtractResources(left, next).gpus.map((device) => device),
      };
      granted += 1;
    }
    expect(placesIn(requirements, free, 8)).toBe(granted);
  });
});
