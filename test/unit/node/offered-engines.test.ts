import { describe, expect, it } from 'vitest';
import { offeredEngines, uselessEngines } from '../../../src/node/offered-engines.ts';
import type { Fingerprint } from '../../../src/provider/task-driver.ts';

const common = {
  usable: true,
  runtimes: {},
  isolation: 'process',
  enforces: [],
  runtimeMemoryBytes: 0,
  outlivesNode: false,
  signals: [],
  extras: [],
} as const;

const fingerprints = new Map<string, Fingerprint>([
  ['one', { ...common, version: '1.0.0' }],
  ['two', { ...common, version: '2.0.0', runtimes: { lua: '5.4.0' }, runtimeMemoryBytes: 7 }],
  ['three', { usable: false, why: 'There is no daemon.' }],
]);

describe('what a node offers of its engines', () => {
  it('is all that works, where its owner names none', () => {
    expect(offeredEngines(fingerprints, undefined)).toEqual({
      engines: { one: '1.0.0', two: '2.0.0' },
      runtimes: { lua: '5.4.0' },
      runtimeMemory: { two: 7 },
    });
    expect(uselessEngines(fingerprints, undefined)).toEqual([]);
  });

  it('is what works of those that its owner names; of the others the reason is told', () => {
    expect(offeredEngines(fingerprints, ['one', 'three'])).toEqual({
      engines: { one: '1.0.0' },
      runtimes: {},
    });
    expect(uselessEngines(fingerprints, ['one', 'three'])).toEqual([
      { engine: 'three', why: 'There is no daemon.' },
    ]);
  });
});
