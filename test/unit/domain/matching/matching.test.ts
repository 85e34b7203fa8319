import { fc, it } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import type { Constraint, ConstraintOperator } from '../../../../src/domain/matching/constraint.ts';
import { chooseDevices, compare, grant, nearestMiss } from '../../../../src/domain/matching/matching.ts';
import {
  coversResources,
  type GpuRequirement,
  type Resources,
} from '../../../../src/domain/units/resources.ts';
import {
  anyDevices,
  anyGroups,
  available,
  device,
  GIB,
  MIB,
  requirements,
  resources,
  traits,
} from '../market-values.ts';

function withGpus(...gpus: GpuRequirement[]) {
  return requirements({ resources: { cpuMillis: 0, memoryBytes: 0, diskBytes: 0, gpus } });
}

function withHard(key: string, operator: ConstraintOperator, ...values: string[]) {
  const constraint: Constraint = { key, operator, values };
  return requirements({ constraints: { hard: [constraint], soft: [] } });
}

function standing(key: string, operator: ConstraintOperator, ...values: string[]): string | undefined {
  const gpus = [device(0), device(1, { vramBytes: 80 * GIB, model: 'NVIDIA H100' })];
  const { fields } = compare(
    withHard(key, operator, ...values),
    available({ onboarded: resources({ gpus }), free: resources() }),
  );
  return fields.at(-1)?.result;
}

/** Is there any choice of distinct devices at all? Tries every one. */
function choiceExists(groups: readonly GpuRequirement[], gpus: Resources['gpus']): boolean {
  const [first, ...rest] = groups.flatMap((group) =>
    Array.from({ length: group.count }, () => ({ ...group, count: 1 })),
  );
  if (first === undefined) return true;
  return gpus.some(
    (gpu) =>
      chooseDevices([first], [gpu]) !== undefined &&
      choiceExists(
        rest,
        gpus.filter((other) => other !== gpu),
      ),
  );
}

describe('comparing amounts', () => {
  it('leaves a program what its runtime does not take, and says how much that is', () => {
    const small = available({
      traits: { ...traits, runtimeMemory: { wasm: 64 * MIB, python: GIB } },
      free: resources({ memoryBytes: GIB }),
    });
    const asked = (memoryBytes: number) =>
      compare(requirements({ resources: { cpuMillis: 0, memoryBytes, diskBytes: 0, gpus: [] } }), small);
    expect(asked(960 * MIB).hardOk).toBe(true);
    expect(nearestMiss(asked(GIB))).toEqual({
      field: 'memory',
      required: '1 GiB',
      available: '960 MiB',
      result: 'Worse',
      hard: true,
    });
    expect(asked(GIB).fields).toContainEqual({
      field: 'memory.runtime',
      required: '64 MiB',
      available: '64 MiB',
      result: 'Equal',
      hard: true,
    });
  });

  it('says how each amount stands to what is free', () => {
    const { fields, hardOk } = compare(
      requirements({ resources: { cpuMillis: 500, memoryBytes: GIB, diskBytes: GIB, gpus: [] } }),
      available({ free: resources({ cpuMillis: 500, memoryBytes: 2 * GIB, diskBytes: 512 * MIB }) }),
    );
    expect(fields).toEqual([
      { field: 'engine.wasm', required: 'wasm', available: '1.0.0', result: 'Equal', hard: true },
      { field: 'cpu', required: '500m', available: '500m', result: 'Equal', hard: true },
      { field: 'memory', required: '1 GiB', available: '2 GiB', result: 'Better', hard: true },
      { field: 'disk', required: '1 GiB', available: '512 MiB', result: 'Worse', hard: true },
    ]);
    expect(hardOk).toBe(false);
  });

  it('never shows a lack as two equal texts', () => {
    const byte = requirements({ resources: { cpuMillis: 0, memoryBytes: GIB + 1, diskBytes: 0, gpus: [] } });
    const miss = nearestMiss(compare(byte, available({ free: resources({ memoryBytes: GIB }) })));
    expect(miss?.required).not.toBe(miss?.available);
  });

  it('names the engine that is not here', () => {
    const python = requirements({ engine: { type: 'python' } });
    const comparison = compare(python, available());
    expect(nearestMiss(comparison)).toMatchObject({
      field: 'engine.python',
      available: 'none',
      result: 'Error',
    });
  });

  it('takes no engine from the prototype of the map', () => {
    const inherited = { ...traits, engines: Object.create({ wasm: '1.0.0' }) as Record<string, string> };
    expect(compare(requirements(), available({ traits: inherited })).hardOk).toBe(false);
  });

  it('has no miss where everything fits', () => {
    expect(nearestMiss(compare(requirements(), available()))).toBeUndefined();
  });
});

describe('comparing devices', () => {
  const two = available({ free: resources({ gpus: [device(0), device(1, { vramBytes: 80 * GIB })] }) });

  it.each([
    ['gpu.vendor', { count: 1, vendor: 'amd' }],
    ['gpu.model', { count: 1, model: 'H100' }],
    ['gpu.vram', { count: 2, vramBytes: 60 * GIB }],
    ['gpu.driver', { count: 1, driver: '>=560' }],
    ['gpu.driver', { count: 1, driver: 'no version' }],
    ['gpu.computeCapability', { count: 1, computeCapability: '>=9.0' }],
    ['gpu.count', { count: 3 }],
  ])('names %s when that is what is missing', (field, group) => {
    const comparison = compare(withGpus(group), two);
    expect(comparison.hardOk).toBe(false);
    expect(nearestMiss(comparison)).toMatchObject({ field, result: 'Worse' });
  });

  it('is an error, not a lack, where there is no device at all', () => {
    expect(nearestMiss(compare(withGpus({ count: 1 }), available()))).toMatchObject({
      field: 'gpu.count',
      available: '0',
      result: 'Error',
    });
  });

  it.each([
    { count: 2, vendor: 'NVIDIA', model: 'a100' },
    { count: 1, driver: '>=550', computeCapability: '8.x' },
    { count: 1, driver: '550.54' },
  ])('accepts %o', (group) => {
    expect(compare(withGpus(group), two).hardOk).toBe(true);
  });

  it.each([
    ['535.183.01', '>=535.104.05', true],
    ['560.35.03', '>=550', true],
    ['535.183.01', '>=550', false],
    // A driver of the kernel is numbered like it, with its build behind a dash: that is no prerelease.
    ['6.8.0-45-generic', '>=6.8.0', true],
    ['6.8.0-45-generic', '<6.8.0', false],
  ])('the driver %s in the range %s: %s', (driver, range, fits) => {
    const machine = available({ free: resources({ gpus: [device(0, { driver })] }) });
    expect(compare(withGpus({ count: 1, driver: range }), machine).hardOk).toBe(fits);
  });

  it('takes the smallest that fits and leaves the large one', () => {
    const gpus = [device(0, { vramBytes: 80 * GIB }), device(1), device(2, { vramBytes: 16 * GIB })];
    expect(chooseDevices([{ count: 1, vramBytes: 24 * GIB }], gpus)?.map((gpu) => gpu.index)).toEqual([1]);
  });

  it('moves a choice where another group needs that very device', () => {
    const gpus = [device(0, { model: 'T4' }), device(1, { model: 'A100' })];
    const groups = [{ count: 1 }, { count: 1, vramBytes: 40 * GIB }, { count: 0 }];
    expect(chooseDevices(groups, gpus)).toHaveLength(2);
    const named = [
      { count: 1, vramBytes: 40 * GIB },
      { count: 1, model: 'T4' },
    ];
    expect(chooseDevices(named, gpus)?.map((gpu) => gpu.index)).toEqual([0, 1]);
  });

  it.prop([anyGroups, anyDevices])('finds a choice exactly when there is one', (groups, gpus) => {
    expect(chooseDevices(groups, gpus) !== undefined).toBe(choiceExists(groups, gpus));
  });

  it.prop([anyGroups, anyDevices])('compares as it chooses', (groups, gpus) => {
    const { hardOk } = compare(withGpus(...groups), available({ free: resources({ gpus }) }));
    expect(hardOk).toBe(chooseDevices(groups, gpus) !== undefined);
  });
});

describe('comparing constraints', () => {
  it.each<[string, ConstraintOperator, string[], string]>([
    ['cpu.cores', 'Gt', ['7'], 'Better'],
    ['cpu.cores', 'Gt', ['8'], 'Worse'],
    ['cpu.cores', 'Lt', ['9'], 'Better'],
    ['cpu.cores', 'Lt', ['8'], 'Worse'],
    ['cpu.arch', 'In', ['arm64', 'X64'], 'Equal'],
    ['cpu.model', 'In', ['epyc'], 'Equal'],
    ['cpu.vendor', 'NotIn', ['GenuineIntel'], 'Equal'],
    ['cpu.vendor', 'NotIn', ['authenticamd'], 'Worse'],
    ['memory.total', 'Gt', ['8GiB'], 'Better'],
    ['memory.total', 'Gt', [String(16 * GIB)], 'Worse'],
    ['memory.total', 'In', ['16GiB'], 'Equal'],
    ['memory.total', 'Gt', ['much'], 'Error'],
    ['gpu.vram', 'Gt', ['79GiB'], 'Better'],
    ['gpu.vram', 'Gt', ['80GiB'], 'Worse'],
    ['gpu.model', 'In', ['h100'], 'Equal'],
    ['gpu.vendor', 'NotIn', ['nvidia'], 'Worse'],
    ['gpu.count', 'Gt', ['1'], 'Better'],
    ['engine.wasm', 'Semver', ['^1.0'], 'Equal'],
    ['engine.wasm', 'Semver', ['>=2'], 'Worse'],
    ['engine.wasm', 'Semver', ['not a range'], 'Error'],
    ['engine.docker', 'Exists', [], 'Error'],
    ['engine.constructor', 'Exists', [], 'Error'],
    ['runtime.python', 'Semver', ['>=3.11 <4'], 'Equal'],
    ['location.country', 'In', ['fr', 'de'], 'Equal'],
    ['location.city', 'In', ['Berlin'], 'Error'],
    ['location.city', 'NotIn', ['Berlin'], 'Error'],
    ['location.city', 'DoesNotExist', [], 'Equal'],
    ['location.country', 'DoesNotExist', [], 'Worse'],
    ['label.zone', 'In', ['a'], 'Equal'],
    ['label.zone', 'In', ['A'], 'Worse'],
    ['label.zone', 'Gt', ['1'], 'Error'],
    ['label.zone', 'Exists', [], 'Equal'],
    ['node.id', 'In', ['provider-1'], 'Equal'],
    ['node.version', 'Semver', ['~1.2'], 'Equal'],
    ['nonsense', 'Exists', [], 'Error'],
  ])('%s %s %j is %s', (key, operator, values, result) => {
    expect(standing(key, operator, ...values)).toBe(result);
  });

  it('counts a hard constraint and only weighs a soft one', () => {
    const wrong = { key: 'location.country', operator: 'In' as const, values: ['FR'] };
    const right = { key: 'label.zone', operator: 'In' as const, values: ['a'] };
    const hard = compare(requirements({ constraints: { hard: [wrong], soft: [] } }), available());
    expect([hard.hardOk, hard.softScore]).toEqual([false, 1000]);
    const soft = [
      { ...wrong, weight: 2 },
      { ...right, weight: 1 },
    ];
    const scored = compare(requirements({ constraints: { hard: [], soft } }), available());
    expect([scored.hardOk, scored.softScore]).toEqual([true, 333]);
    expect(scored.fields.at(-1)).toMatchObject({ hard: false, weight: 1, result: 'Equal' });
  });

  it.each<[string, ConstraintOperator, string[], string, string]>([
    ['label.zone', 'In', [''], 'In ""', 'a'],
    ['label.zone', 'NotIn', ['a', ''], 'NotIn a, ""', 'a'],
    ['memory.total', 'Gt', ['64GiB'], 'Gt 64GiB', '16 GiB'],
    ['gpu.vram', 'Gt', ['80GiB'], 'Gt 80GiB', '80 GiB'],
    ['gpu.vram', 'Gt', ['81GiB'], 'Gt 81GiB', '80 GiB'],
    ['memory.total', 'In', ['16000MiB'], 'In 16000MiB', '16 GiB'],
    ['memory.total', 'Lt', ['1GiB'], 'Lt 1GiB', '16 GiB'],
  ])('reads well: %s %s %j', (key, operator, values, required, text) => {
    const onboarded = resources({ gpus: [device(0, { vramBytes: 80 * GIB })] });
    const { fields } = compare(withHard(key, operator, ...values), available({ onboarded }));
    expect(fields.find(({ field }) => field === key)).toMatchObject({ required, available: text });
  });

  it('tells a size in full where a rounded one would look like what is asked', () => {
    const onboarded = resources({ memoryBytes: 16 * GIB + 1 });
    const { fields } = compare(withHard('memory.total', 'In', '16GiB'), available({ onboarded }));
    expect(fields.at(-1)).toMatchObject({ available: `${16 * GIB + 1} B`, result: 'Worse' });
  });

  it('keeps texts short: they travel with the bid', () => {
    const values = Array.from({ length: 32 }, (_, at) => `${'x'.repeat(120)}${at}`);
    const { fields } = compare(withHard('label.zone', 'In', ...values), available());
    expect(fields.every((field) => field.required.length <= 96)).toBe(true);
  });
});

describe('what a lease would hold', () => {
  const anyAmounts = fc.record({
    cpuMillis: fc.nat(16),
    memoryBytes: fc.nat(16),
    diskBytes: fc.nat(16),
  });
  const anyFree = fc.tuple(anyAmounts, anyDevices).map(([amounts, gpus]) => ({ ...amounts, gpus }));
  const anyWanted = fc.tuple(anyAmounts, anyGroups).map(([amounts, gpus]) => ({ ...amounts, gpus }));

  it('is nothing when an amount is short', () => {
    expect(grant({ cpuMillis: 9000, memoryBytes: 0, diskBytes: 0, gpus: [] }, resources())).toBeUndefined();
  });

  it.prop([anyWanted, anyFree])('is wholly free, with as many distinct devices as asked', (wanted, free) => {
    const granted = grant(wanted, free);
    const count = wanted.gpus.reduce((sum, group) => sum + group.count, 0);
    expect(granted !== undefined).toBe(
      compare(requirements({ resources: wanted }), available({ free })).hardOk,
    );
    if (granted === undefined) return;
    expect(coversResources(free, granted)).toBe(true);
    expect(granted).toMatchObject({ cpuMillis: wanted.cpuMillis, memoryBytes: wanted.memoryBytes });
    expect(new Set(granted.gpus.map((gpu) => gpu.index)).size).toBe(count);
  });

  it.prop([anyWanted, anyFree, anyFree])('never fails because there is more', (wanted, free, more) => {
    fc.pre(grant(wanted, free) !== undefined);
    const added = more.gpus.map((gpu) => ({ ...gpu, index: gpu.index + free.gpus.length }));
    const larger = {
      cpuMillis: free.cpuMillis + more.cpuMillis,
      memoryBytes: free.memoryBytes + more.memoryBytes,
      diskBytes: free.diskBytes + more.diskBytes,
      gpus: [...added, ...free.gpus],
    };
    expect(grant(wanted, larger)).toBeDefined();
    expect(compare(requirements({ resources: wanted }), available({ free: larger })).hardOk).toBe(true);
  });
});
