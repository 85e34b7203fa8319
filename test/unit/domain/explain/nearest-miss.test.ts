import { describe, expect, it } from 'vitest';
import type { CapabilityComparison, FieldComparison } from '../../../../src/domain/matching/comparison.ts';
import { compare } from '../../../../src/domain/matching/matching.ts';
import { isWithinReach, tallyMisses } from '../../../../src/domain/explain/nearest-miss.ts';
import { available, device, GIB, requirements, resources } from '../market-values.ts';

function missed(field: string, required: string, text: string): FieldComparison {
  return { field, required, available: text, result: 'Worse', hard: true };
}

function comparison(...fields: FieldComparison[]): CapabilityComparison {
  return { fields, hardOk: false, softScore: 0 };
}

function one(field: string, required: string, ...texts: string[]): readonly [string, number] | undefined {
  const [first] = tallyMisses(texts.map((text) => comparison(missed(field, required, text))));
  return first === undefined ? undefined : [first.best, first.bestCount];
}

describe('what stood in the way', () => {
  it('names the field, the best value and how many machines have it', () => {
    const asked = requirements({
      resources: { cpuMillis: 1, memoryBytes: 1, diskBytes: 1, gpus: [{ count: 1, vramBytes: 24 * GIB }] },
    });
    const machines = [16, 8, 16, 16].map((gib) =>
      available({ free: resources({ gpus: [device(0, { vramBytes: gib * GIB })] }) }),
    );
    expect(tallyMisses(machines.map((machine) => compare(asked, machine)))).toEqual([
      { field: 'gpu.vram', required: '24 GiB', count: 4, alone: 4, best: '16 GiB', bestCount: 3 },
    ]);
  });

  it('puts first what would win most machines if it alone were less', () => {
    const cpu = missed('cpu', '4000m', '2000m');
    const memory = missed('memory', '8GiB', '4GiB');
    const misses = tallyMisses([
      comparison(cpu, memory),
      comparison(cpu, memory),
      comparison(cpu, missed('memory', '8GiB', '7GiB')),
      comparison(missed('memory', '8GiB', '2GiB')),
    ]);
    expect(misses.map(({ field, alone, count }) => [field, alone, count])).toEqual([
      ['memory', 1, 4],
      ['cpu', 0, 3],
    ]);
    // 7 GiB is nearer, but asking for no more than that would win nobody.
    expect(misses[0]).toMatchObject({ best: '2GiB', bestCount: 1 });
  });

  it('names what is in the way everywhere beside a field that alone would win nobody', () => {
    const vram = missed('gpu.vram', '60 GiB', '48 GiB');
    const vendor = missed('gpu.vendor', 'amd', 'nvidia');
    const both = [comparison(vram, vendor), comparison(vram, vendor, missed('cpu', '4', '2'))];
    expect(tallyMisses(both).map((miss) => [miss.field, miss.beside])).toEqual([
      ['gpu.vendor', ['gpu.vram']],
      ['gpu.vram', ['gpu.vendor']],
      ['cpu', ['gpu.vendor', 'gpu.vram']],
    ]);
    expect(tallyMisses([...both, comparison(vram)])[0]).not.toHaveProperty('beside');
  });

  it.each<[string, string, string[], string, number]>([
    ['cpu', '4000m', ['500m', '3000m', '1000m'], '3000m', 1],
    ['memory', '8 GiB', ['900 MiB', '2 GiB', '512 B'], '2 GiB', 1],
    ['memory', '8GiB', ['900MiB', '2GiB', '512B'], '2GiB', 1],
    ['gpu.vram', '80GiB', ['40GiB, 16GiB', '24GiB'], '40GiB', 1],
    ['gpu.driver', '>=550', ['535.104.5', '545.23', 'unknown'], '545.23', 1],
    ['gpu.driver', '>=560.28.03', ['535.183.01', '560.28', '550.54.14'], '560.28', 1],
    ['gpu.driver', '>=560', ['535.183.01', '535.104.05, 470.82'], '535.183.01', 1],
    ['node.version', 'Semver >=2.0.0', ['1.9.0', '1.10.0', '1.10.0'], '1.10.0', 2],
    ['cpu.cores', 'Gt 64', ['8', '32'], '32', 1],
    ['cpu.cores', 'Lt 4', ['8', '32'], '8', 1],
    [
      'budget.maxPrice',
      '0.1 USD per hour',
      ['0.4 USD per hour', '0.2 USD per hour', '0.05 EURO X', '0.1 EUR per hour'],
      '0.2 USD per hour',
      1,
    ],
    ['budget.maxPrice', '0.1 USD/hour', ['0.4 USD/hour', '0.2 USD/hour'], '0.2 USD/hour', 1],
    [
      'budget.maxPrice',
      '1 USD per result',
      ['900000000000.000000002 USD per result', '900000000000.000000001 USD per result'],
      '900000000000.000000001 USD per result',
      1,
    ],
    [
      'budget.maxPrice',
      '1 USD per result',
      ['90000000000000000000 USD per result', '90000000000000000000.5 USD per result'],
      '90000000000000000000 USD per result',
      1,
    ],
    ['budget.currency', 'EUR', ['USD', 'GBP', 'USD'], 'USD', 2],
    ['timeouts.execution', '48 h', ['90 min', '24 h', '24 h', '30 s'], '24 h', 2],
    ['location.country', 'In FR', ['DE', 'US', 'DE', 'none'], 'DE', 2],
    ['label.size', 'In 9', ['7', '3', '3'], '3', 2],
    ['engine.python', 'python', ['none', 'none'], 'none', 2],
  ])('finds the best of %s for %s', (field, required, texts, best, count) => {
    expect(one(field, required, ...texts)).toEqual([best, count]);
  });

  it('puts what some have too little of before what others have nothing of', () => {
    const none = missed('gpu.count', '1', '0');
    const few = missed('gpu.vram', '24 GiB', '7.8 GiB');
    const draining = missed('node.draining', 'no', 'yes');
    const misses = tallyMisses([none, none, none, few, draining, draining].map((miss) => comparison(miss)));
    expect(misses.map(({ field }) => field)).toEqual(['gpu.vram', 'gpu.count', 'node.draining']);
    expect(misses.map(isWithinReach)).toEqual([true, false, false]);
  });

  it('keeps two conditions on one field apart, and leaves soft and met ones out', () => {
    const fields = [
      missed('location.country', 'In FR', 'DE'),
      missed('location.country', 'NotIn DE', 'DE'),
      { ...missed('cpu.cores', 'Gt 4', '4'), hard: false },
      { ...missed('disk', '1GiB', '2GiB'), result: 'Better' as const },
    ];
    expect(tallyMisses([comparison(...fields)]).map(({ required }) => required)).toEqual([
      'In FR',
      'NotIn DE',
    ]);
  });

  it('stays small whatever strangers write', () => {
    const comparisons = Array.from({ length: 5000 }, (_, index) =>
      comparison(missed(`label.${index}`, 'Exists', `${index}`), missed('label.x', 'In a', `${index}`)),
    );
    const misses = tallyMisses(comparisons);
    expect(misses.length).toBeLessThanOrEqual(128);
    expect(misses.find(({ field }) => field === 'label.x')).toMatchObject({
      count: 5000,
      best: '0',
      bestCount: 1,
    });
  });
});
