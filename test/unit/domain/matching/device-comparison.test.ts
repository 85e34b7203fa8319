import { fc, it } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { compareDevices } from '../../../../src/domain/matching/device-comparison.ts';
import { chooseDevices } from '../../../../src/domain/matching/device-matching.ts';
import type { GpuDevice, GpuRequirement } from '../../../../src/domain/units/resources.ts';
import { anyDevices, anyGroups, device, GIB, MIB } from '../market-values.ts';

const RTX = device(0, {
  model: 'NVIDIA GeForce RTX 2080',
  vramBytes: 7979 * MIB,
  driver: '535.161.08',
  computeCapability: '7.5',
});

function misses(groups: readonly GpuRequirement[], devices: readonly GpuDevice[]): readonly string[] {
  return compareDevices(groups, devices)
    .filter(({ result }) => result === 'Worse' || result === 'Error')
    .map(({ field, required, available }) => `${field}: ${required} asked, ${available} here`);
}

describe('the one thing that keeps devices out', () => {
  it.each<[GpuRequirement, string]>([
    [{ count: 1, vramBytes: 24 * GIB }, 'gpu.vram: 24 GiB asked, 7.8 GiB here'],
    [{ count: 1, vramBytes: 8 * GIB }, 'gpu.vram: 8 GiB asked, 7.8 GiB here'],
    [{ count: 1, vendor: 'amd' }, 'gpu.vendor: amd asked, nvidia here'],
    [{ count: 1, model: 'A100' }, 'gpu.model: A100 asked, NVIDIA GeForce RTX 2080 here'],
    [{ count: 1, vendor: 'nvidia', driver: '>=550' }, 'gpu.driver: >=550 asked, 535.161.08 here'],
    [{ count: 1, computeCapability: '>=8' }, 'gpu.computeCapability: >=8 asked, 7.5 here'],
    [{ count: 2 }, 'gpu.count: 2 asked, 1 here'],
  ])('%o', (group, text) => {
    expect(misses([group], [RTX])).toEqual([text]);
  });

  it('is the count where there is no device at all', () => {
    expect(misses([{ count: 1, vramBytes: GIB }], [])).toEqual(['gpu.count: 1 asked, 0 here']);
  });

  it('is the count of all groups together where there are too few for them', () => {
    const groups = [
      { count: 1, model: 'RTX 2080' },
      { count: 2, vendor: 'nvidia' },
    ];
    expect(misses(groups, [RTX, { ...RTX, index: 1 }])).toEqual(['gpu.count: 3 asked, 2 here']);
  });

  it('is of the group that is not served, whichever that is', () => {
    const groups = [
      { count: 1, model: 'RTX 2080' },
      { count: 1, model: 'A100' },
    ];
    const both = [RTX, { ...RTX, index: 1, model: 'NVIDIA T4' }];
    expect(misses(groups, both)).toEqual(['gpu.model: A100 asked, NVIDIA GeForce RTX 2080, NVIDIA T4 here']);
  });

  it('is of one of two groups that want the same device', () => {
    const groups = [
      { count: 1, vendor: 'nvidia' },
      { count: 1, vramBytes: 7 * GIB },
      { count: 1, vramBytes: 5 * GIB },
    ];
    const devices = [RTX, { ...RTX, index: 1, vramBytes: 4 * GIB }, { ...RTX, index: 2, vramBytes: 2 * GIB }];
    expect(misses(groups, devices)).toEqual(['gpu.vram: 5 GiB asked, 4 GiB, 2 GiB here']);
  });

  it('names the best of what it would have to take, not the best of all', () => {
    const devices = [40, 80, 16].map((gib, at) => device(at, { vramBytes: gib * GIB }));
    expect(misses([{ count: 2, vramBytes: 60 * GIB }], devices)).toEqual([
      'gpu.vram: 60 GiB asked, 40 GiB, 16 GiB here',
    ]);
    expect(misses([{ count: 3, vramBytes: 60 * GIB }], devices)).toEqual([
      'gpu.vram: 60 GiB asked, 16 GiB here',
    ]);
  });

  it('speaks of the devices that it alone keeps out', () => {
    const large = device(0, { vendor: 'amd', vramBytes: 80 * GIB });
    const group = { count: 1, vendor: 'nvidia', model: 'RTX', vramBytes: 24 * GIB };
    expect(misses([group], [large, { ...RTX, index: 1 }])).toEqual(['gpu.vram: 24 GiB asked, 7.8 GiB here']);
  });

  it('names two things that keep the nearest device out where no one thing would do', () => {
    const group = { count: 1, model: 'A100', vramBytes: 24 * GIB, driver: '>=550' };
    expect(misses([group], [{ ...RTX, driver: '560.1' }])).toEqual([
      'gpu.vram: 24 GiB asked, 7.8 GiB here',
      'gpu.model: A100 asked, NVIDIA GeForce RTX 2080 here',
    ]);
    expect(misses([{ count: 2, vramBytes: 24 * GIB }], [RTX])).toEqual([
      'gpu.count: 2 asked, 1 here',
      'gpu.vram: 24 GiB asked, 7.8 GiB here',
    ]);
  });

  it.each<[GpuRequirement, readonly string[]]>([
    [
      { count: 1, vramBytes: 60 * GIB, vendor: 'amd' },
      ['gpu.vram: 60 GiB asked, 48 GiB, 12 GiB here', 'gpu.vendor: amd asked, nvidia here'],
    ],
    [
      { count: 1, vramBytes: 60 * GIB, computeCapability: '>=9' },
      ['gpu.computeCapability: >=9 asked, 8.9, 7.5 here', 'gpu.vram: 60 GiB asked, 48 GiB, 12 GiB here'],
    ],
    [
      { count: 2, vramBytes: 60 * GIB, vendor: 'amd' },
      ['gpu.vram: 60 GiB asked, 12 GiB here', 'gpu.vendor: amd asked, nvidia here'],
    ],
  ])('names the best of all devices that miss the same two things: %o', (group, named) => {
    const small = { ...RTX, vramBytes: 12 * GIB };
    const large = { ...RTX, index: 1, vramBytes: 48 * GIB, computeCapability: '8.9' };
    expect(misses([group], [small, large]).toSorted()).toEqual(named.toSorted());
    expect(misses([group], [large, small]).toSorted()).toEqual(named.toSorted());
  });

  it.prop([anyGroups, anyDevices])('is named exactly where devices cannot be chosen', (groups, devices) => {
    fc.pre(groups.length > 0);
    expect(misses(groups, devices).length > 0).toBe(chooseDevices(groups, devices) === undefined);
  });

  it.prop([anyGroups, anyDevices])(
    'is what to ask less of: without it devices are found',
    (groups, devices) => {
      const named = misses(groups, devices);
      fc.pre(named.length === 1 && /^gpu\.(vram|model|driver)/.test(named[0] ?? ''));
      const relaxed = groups.map(({ count }) => ({ count }));
      expect(chooseDevices(relaxed, devices)).toBeDefined();
    },
  );
});
