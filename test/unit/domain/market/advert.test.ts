import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import {
  advertBounds,
  advertContent,
  type AdvertContent,
  advertToCapability,
  isBigChange,
  isConsistentAdvert,
} from '../../../../src/domain/market/advert.ts';
import { compare } from '../../../../src/domain/matching/matching.ts';
import type { GpuDevice, Resources } from '../../../../src/domain/units/resources.ts';
import { advertMessage } from '../../../../src/messages/advert.ts';
import { anyDevices, anyGroups, device, GIB, requirements, resources, traits } from '../market-values.ts';

const price = { amount: '0.05', currency: 'USD', per: 'hour' as const };

function content(onboarded: Resources, free = onboarded, over: Partial<typeof traits> = {}): AdvertContent {
  return advertContent({
    traits: { ...traits, ...over },
    pools: { onboarded, free },
    price,
    draining: false,
  });
}

const isValid = (value: AdvertContent): boolean =>
  advertMessage.schema.safeParse({
    ...value,
    validForMs: 1,
    sequence: 1,
    providerRecord: new Uint8Array(),
  }).success;

const unlike = (index: number): GpuDevice => device(index, { model: `model ${index}` });

describe('an advert', () => {
  it('counts devices that are alike', () => {
    const told = content(resources({ gpus: [device(0), device(1), device(2, { vramBytes: 80 * GIB })] }));
    expect(told.onboarded.gpus.map(({ count, vramBytes }) => [count, vramBytes])).toEqual([
      [2, 40 * GIB],
      [1, 80 * GIB],
    ]);
    expect(told.onboarded.gpus[0]).not.toHaveProperty('uuid');
  });

  it.each([
    ['many kinds of devices', Array.from({ length: 20 }, (_, index) => unlike(index))],
    ['many devices', Array.from({ length: 200 }, (_, index) => device(index))],
    ['many devices of few kinds', Array.from({ length: 200 }, (_, index) => unlike(index % 3))],
  ])('has room for what others take: %s', (_, gpus) => {
    const told = content(resources({ gpus }), resources({ gpus: gpus.slice(5) }));
    expect(isValid(told)).toBe(true);
    expect(isConsistentAdvert(told)).toBe(true);
    expect(told.onboarded.gpus.length).toBeGreaterThan(0);
  });

  it('leaves out words that others would not take', () => {
    const labels = { 'not a name': 'x', long: 'x'.repeat(1000), zone: 'a' };
    const engines = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`e${index}`, '1']));
    const told = content(resources(), resources(), {
      labels,
      engines,
      nodeVersion: 'v'.repeat(1000),
      location: { city: '\ud800'.repeat(200) },
    });
    expect(told.labels).toEqual({ zone: 'a' });
    expect(Object.keys(told.engines)).toHaveLength(advertBounds.names);
    expect(isValid(told)).toBe(true);
  });

  test.prop([anyDevices, anyGroups])('compares as the machine itself does', (gpus, groups) => {
    const whole = resources({ gpus });
    const asked = requirements({
      resources: { cpuMillis: 500, memoryBytes: GIB, diskBytes: GIB, gpus: groups },
      constraints: { hard: [{ key: 'gpu.vram', operator: 'Gt', values: ['1GiB'] }], soft: [] },
    });
    const capability = advertToCapability(content(whole), traits.peerId);
    const verdict = compare(asked, capability);
    expect(verdict.hardOk).toBe(compare(asked, { traits, onboarded: whole, free: whole }).hardOk);
  });

  test.prop([anyDevices, fc.nat(6)])('is consistent for whatever is free of a machine', (gpus, kept) => {
    const onboarded = resources({ gpus });
    expect(isConsistentAdvert(content(onboarded, resources({ cpuMillis: 1, gpus: gpus.slice(kept) })))).toBe(
      true,
    );
  });

  it.each([
    ['more free than there is', { free: { cpuMillis: 9000 } }],
    ['a free device of another kind', { free: { gpus: [{ ...device(0), count: 1, model: 'other' }] } }],
    ['more free devices', { free: { gpus: [{ ...device(0), count: 2 }] } }],
    [
      'one kind named twice, and more of it than there is',
      {
        free: {
          gpus: [
            { ...device(0), count: 1 },
            { ...device(0), count: 1 },
          ],
        },
      },
    ],
  ])('contradicts itself with %s', (_, { free }) => {
    const told = content(resources({ gpus: [device(0)] }));
    expect(isConsistentAdvert(told)).toBe(true);
    expect(isConsistentAdvert({ ...told, free: { ...told.free, ...free } })).toBe(false);
  });
});

describe('an advert of a later release', () => {
  it('may tell devices apart that are alike here, and is no contradiction for it', () => {
    const told = content(resources({ gpus: [device(0), device(1)] }));
    const [group] = told.onboarded.gpus;
    if (group === undefined) throw new Error('it has devices');
    const apart = [
      { ...group, count: 1 },
      { ...group, count: 1 },
    ];
    const amounts = { ...told.onboarded, gpus: apart };
    expect(isConsistentAdvert({ onboarded: amounts, free: amounts })).toBe(true);
    expect(isConsistentAdvert({ onboarded: amounts, free: told.free })).toBe(true);
  });

  it('is read with devices of vendors that are not known here', () => {
    const amounts = content(resources({ gpus: [device(0)] }));
    const gpus = amounts.onboarded.gpus.map((group) => ({ ...group, vendor: 'tenstorrent', tiles: 80 }));
    expect(isValid({ ...amounts, onboarded: { ...amounts.onboarded, gpus } })).toBe(true);
  });
});

describe('a big change', () => {
  const machine = resources({ cpuMillis: 10_000, gpus: [device(0), device(1)] });
  const before = content(machine);

  it.each<[string, AdvertContent, boolean]>([
    ['nothing', before, false],
    ['a little less processor', content(machine, { ...machine, cpuMillis: 8001 }), false],
    ['a fifth less processor', content(machine, { ...machine, cpuMillis: 8000 }), true],
    ['one device less', content(machine, { ...machine, gpus: [device(0)] }), true],
    ['draining', { ...before, draining: true }, true],
    ['another price', { ...before, price: { ...price, amount: '0.06' } }, true],
    ['a label', { ...before, labels: {} }, true],
  ])('is seen in: %s', (_, after, big) => {
    expect(isBigChange(before, after)).toBe(big);
    expect(isBigChange(after, before)).toBe(big);
  });
});
