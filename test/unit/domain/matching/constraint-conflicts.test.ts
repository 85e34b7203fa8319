import { describe, expect, it } from 'vitest';
import type { Constraint, ConstraintOperator } from '../../../../src/domain/matching/constraint.ts';
import { constraintConflicts } from '../../../../src/domain/matching/constraint-conflicts.ts';
import { jobDescription } from '../../../../src/domain/job/job-description.ts';
import { rawContentIdOf } from '../../../../src/lib/canonical.ts';

type Row = readonly [key: string, operator: ConstraintOperator, ...values: string[]];

function conflicts(...rows: readonly Row[]) {
  const hard: Constraint[] = rows.map(([key, operator, ...values]) => ({ key, operator, values }));
  return constraintConflicts(hard).map(({ index }) => index);
}

describe('hard constraints that nothing can meet together', () => {
  it.each<[string, readonly Row[]]>([
    [
      'all that is in is ruled out',
      [
        ['location.country', 'In', 'DE'],
        ['location.country', 'NotIn', 'de', 'FR'],
      ],
    ],
    [
      'two sets of one key have nothing in common',
      [
        ['cpu.arch', 'In', 'x64'],
        ['cpu.arch', 'In', 'arm64', 'riscv'],
      ],
    ],
    [
      'present and absent',
      [
        ['label.zone', 'Exists'],
        ['label.zone', 'DoesNotExist'],
      ],
    ],
    [
      'absent with a value',
      [
        ['label.zone', 'DoesNotExist'],
        ['label.zone', 'In', 'a'],
      ],
    ],
    [
      'above and below',
      [
        ['cpu.cores', 'Gt', '8'],
        ['cpu.cores', 'Lt', '8'],
      ],
    ],
    [
      'no whole number between',
      [
        ['cpu.cores', 'Gt', '8'],
        ['cpu.cores', 'Lt', '9'],
      ],
    ],
    [
      'sizes',
      [
        ['memory.total', 'Gt', '16GiB'],
        ['memory.total', 'Lt', '1GiB'],
      ],
    ],
    [
      'a value that is not in the range',
      [
        ['cpu.cores', 'In', '2', '4'],
        ['cpu.cores', 'Gt', '4'],
      ],
    ],
    [
      'a version outside its range',
      [
        ['engine.wasm', 'In', '1.0.0'],
        ['engine.wasm', 'Semver', '>=2'],
      ],
    ],
    [
      'a model that holds what is ruled out',
      [
        ['gpu.model', 'In', 'H100 PCIe'],
        ['gpu.model', 'NotIn', 'h100'],
      ],
    ],
  ])('%s', (_, rows) => {
    expect(conflicts(...rows)).toEqual([1]);
    expect(conflicts(['engine.wasm', 'Exists'], ...[...rows].reverse())).toEqual([2]);
  });

  it('takes three together that any two would leave room for', () => {
    const rows: readonly Row[] = [
      ['location.city', 'In', 'Bonn', 'Oslo'],
      ['location.city', 'In', 'Oslo', 'Rome'],
      ['location.city', 'NotIn', 'Oslo'],
    ];
    expect(conflicts(...rows)).toEqual([2]);
    expect(conflicts(...rows.slice(0, 2))).toEqual([]);
  });

  it('says what stands against what', () => {
    const [conflict] = constraintConflicts([
      { key: 'location.country', operator: 'In', values: ['DE'] },
      { key: 'location.country', operator: 'NotIn', values: ['DE'] },
    ]);
    expect(conflict?.message).toBe(
      'no provider can meet location.country NotIn DE together with constraints.hard.0 (In DE)',
    );
  });

  it.each<[string, readonly Row[]]>([
    [
      'different keys',
      [
        ['location.country', 'In', 'DE'],
        ['location.city', 'In', 'Oslo'],
      ],
    ],
    [
      'something is left',
      [
        ['location.country', 'In', 'DE', 'FR'],
        ['location.country', 'NotIn', 'DE'],
      ],
    ],
    [
      'labels differ in their letters',
      [
        ['label.zone', 'In', 'A'],
        ['label.zone', 'NotIn', 'a'],
      ],
    ],
    [
      'a machine with devices of two makers',
      [
        ['gpu.vendor', 'In', 'amd'],
        ['gpu.vendor', 'In', 'nvidia'],
      ],
    ],
    [
      'a large and a small device',
      [
        ['gpu.vram', 'Gt', '40GiB'],
        ['gpu.vram', 'Lt', '16GiB'],
      ],
    ],
    [
      'a model with both words',
      [
        ['cpu.model', 'In', 'EPYC'],
        ['cpu.model', 'In', 'AMD'],
      ],
    ],
    [
      'a longer word ruled out',
      [
        ['gpu.model', 'In', 'h100'],
        ['gpu.model', 'NotIn', 'H100 PCIe'],
      ],
    ],
    [
      'room between',
      [
        ['cpu.cores', 'Gt', '8'],
        ['cpu.cores', 'Lt', '10'],
      ],
    ],
    [
      'parts of a number',
      [
        ['label.speed', 'Gt', '8'],
        ['label.speed', 'Lt', '9'],
      ],
    ],
    [
      'said twice',
      [
        ['label.zone', 'Exists'],
        ['label.zone', 'Exists'],
      ],
    ],
  ])('leaves alone: %s', (_, rows) => {
    expect(conflicts(...rows)).toEqual([]);
  });
});

describe('a job description that contradicts itself', () => {
  const cid = rawContentIdOf(new TextEncoder().encode('module'));
  const refused = (changes: Record<string, unknown>): string[] => {
    const engine = { type: 'wasm', params: { module: { cid } } };
    const { error } = jobDescription.safeParse({ engine, ...changes });
    return (error?.issues ?? []).map(({ path }) => path.join('.'));
  };
  const hard = (key: string, operator: string, ...values: string[]) => ({
    constraints: { hard: [{ key, operator, values }] },
  });

  it('is refused at the constraint that came later', () => {
    const constraints = {
      hard: [
        { key: 'label.zone', operator: 'Exists' },
        { key: 'label.zone', operator: 'DoesNotExist' },
      ],
    };
    expect(refused({ constraints })).toEqual(['constraints.hard.1']);
    expect(refused({ constraints: { soft: constraints.hard } })).toEqual([]);
  });

  it.each([
    [{ resources: { cpu: 8 }, ...hard('cpu.cores', 'Lt', '8') }],
    [{ resources: { memory: '2GiB' }, ...hard('memory.total', 'Lt', '2GiB') }],
    [{ resources: { gpus: [{ count: 1 }, { count: 1 }] }, ...hard('gpu.count', 'Lt', '2') }],
  ])('is refused where a machine must be smaller than what is asked of it: %j', (changes) => {
    expect(refused(changes)).toEqual(['constraints.hard.0']);
  });

  it('may ask for a part of a small machine', () => {
    expect(refused({ resources: { cpu: 7.5 }, ...hard('cpu.cores', 'Lt', '9') })).toEqual([]);
    expect(refused(hard('gpu.count', 'Lt', '1'))).toEqual([]);
  });

  it('is refused where a provider is both preferred and excluded', () => {
    const [a, b, c] = ['a', 'b', 'c'].map((letter) => `12D3KooW${letter.repeat(44)}`);
    expect(refused({ preferredProviders: [a, b], excludedProviders: [c, b] })).toEqual([
      'preferredProviders.1',
    ]);
    expect(refused({ preferredProviders: [a], excludedProviders: [c] })).toEqual([]);
  });
});
