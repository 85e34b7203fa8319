import type { Requirements } from '../../src/domain/matching/requirements.ts';
import type { AvailableCapability } from '../../src/domain/matching/capability.ts';
import { compare } from '../../src/domain/matching/matching.ts';
import { type Bench, round } from './figure.ts';

const GIB = 2 ** 30;

const requirements: Requirements = {
  resources: {
    cpuMillis: 2000,
    memoryBytes: 4 * GIB,
    diskBytes: 10 * GIB,
    gpus: [
      {
        count: 1,
        vendor: 'nvidia',
        model: 'A100',
        vramBytes: 40 * GIB,
        driver: '>=550',
        computeCapability: '>=8.0',
      },
    ],
  },
  engine: { type: 'python' },
  constraints: {
    hard: [
      { key: 'location.country', operator: 'In', values: ['DE', 'FR'] },
      { key: 'node.version', operator: 'Semver', values: ['>=0.1.0'] },
    ],
    soft: [
      { key: 'cpu.cores', operator: 'Gt', values: ['8'], weight: 10 },
      { key: 'label.zone', operator: 'Exists', values: [], weight: 5 },
    ],
  },
  executionTimeoutMs: 600_000,
};

function machine(index: number): AvailableCapability {
  const resources = {
    cpuMillis: 4000 + (index % 7) * 2000,
    memoryBytes: (2 + (index % 5) * 8) * GIB,
    diskBytes: 200 * GIB,
    gpus: [0, 1].map((gpu) => ({
      index: gpu,
      vendor: 'nvidia' as const,
      model: index % 2 === 0 ? 'NVIDIA A100-SXM4-80GB' : 'NVIDIA GeForce RTX 4090',
      vramBytes: (index % 2 === 0 ? 80 : 24) * GIB,
      driver: '550.54.14',
      computeCapability: index % 2 === 0 ? '8.0' : '8.9',
    })),
  };
  return {
    traits: {
      peerId: `peer-${index}`,
      nodeVersion: '0.1.0',
      cpu: { cores: 4 + (index % 7) * 2, arch: 'x64', model: 'EPYC', vendor: 'AMD' },
      engines: { wasm: '1.0.0', python: '3.12.0' },
      runtimes: { python: '3.12.0' },
      labels: index % 3 === 0 ? { zone: 'a' } : {},
      location: { country: index % 2 === 0 ? 'DE' : 'US' },
    },
    onboarded: resources,
    free: resources,
  };
}

export const match: Bench = {
  name: 'match',
  about: 'comparisons of requirements with machines, on one core',
  async run({ iterations = 400_000, report }) {
    const fleet = Array.from({ length: 64 }, (_, index) => machine(index));
    const compareMany = (count: number): number => {
      let matched = 0;
      for (let index = 0; index < count; index += 1) {
        const available = fleet[index % fleet.length];
        if (available !== undefined && compare(requirements, available).hardOk) matched += 1;
      }
      return matched;
    };
    compareMany(20_000);
    const startedMs = performance.now();
    const matched = compareMany(iterations);
    const seconds = (performance.now() - startedMs) / 1000;
    report({
      bench: 'match',
      metric: 'comparisons_per_s',
      value: round(iterations / seconds, 0),
      unit: '1/s',
      matchedShare: round(matched / iterations, 3),
    });
  },
};
