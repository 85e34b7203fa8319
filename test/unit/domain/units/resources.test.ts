import { fc, it } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import {
  addResources,
  coversResources,
  NO_RESOURCES,
  type Resources,
  subtractResources,
} from '../../../../src/domain/units/resources.ts';
import { device, resources } from '../market-values.ts';

const AMOUNT = 2 ** 40;
const anyAmounts = fc.record({
  cpuMillis: fc.nat(1_000_000),
  memoryBytes: fc.nat(AMOUNT),
  diskBytes: fc.nat(AMOUNT),
});

function withDevices(indexes: readonly number[]) {
  return (amounts: Omit<Resources, 'gpus'>): Resources => ({
    ...amounts,
    gpus: indexes.map((index) => device(index)),
  });
}

const anyWhole = anyAmounts.map(withDevices([0, 1, 2, 3]));
const anyPart = fc.subarray([0, 1, 2, 3]).chain((indexes) => anyAmounts.map(withDevices(indexes)));

describe('resources', () => {
  it.prop([anyWhole])('are the same with nothing added or taken', (whole) => {
    expect(addResources(whole, NO_RESOURCES)).toEqual(whole);
    expect(subtractResources(whole, NO_RESOURCES)).toEqual(whole);
  });

  it.prop([anyWhole, anyPart])('are whole again when a part comes back', (whole, part) => {
    fc.pre(coversResources(whole, part));
    const again = addResources(subtractResources(whole, part), part);
    const sorted = { ...again, gpus: [...again.gpus].sort((a, b) => a.index - b.index) };
    expect(sorted).toEqual(whole);
  });

  it.prop([anyWhole, anyPart])('never fall below zero, and cover what is left of them', (whole, part) => {
    const rest = subtractResources(whole, part);
    expect(Math.min(rest.cpuMillis, rest.memoryBytes, rest.diskBytes)).toBeGreaterThanOrEqual(0);
    expect(coversResources(whole, rest)).toBe(true);
  });

  it('do not cover a device twice, nor one that is not there, nor a larger amount', () => {
    const whole = resources({ gpus: [device(0), device(1)] });
    expect(coversResources(whole, resources({ gpus: [device(1)] }))).toBe(true);
    expect(coversResources(whole, resources({ gpus: [device(0), device(0)] }))).toBe(false);
    expect(coversResources(whole, resources({ gpus: [device(2)] }))).toBe(false);
    expect(coversResources(whole, { ...whole, cpuMillis: whole.cpuMillis + 1 })).toBe(false);
    expect(coversResources(whole, { ...whole, memoryBytes: whole.memoryBytes + 1 })).toBe(false);
    expect(coversResources(whole, { ...whole, diskBytes: whole.diskBytes + 1 })).toBe(false);
  });
});
