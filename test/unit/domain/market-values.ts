import fc from 'fast-check';
import type { Bid } from '../../../src/domain/market/bid.ts';
import type { Requirements } from '../../../src/domain/matching/requirements.ts';
import type { AvailableCapability, NodeTraits } from '../../../src/domain/matching/capability.ts';
import type { Evidence } from '../../../src/domain/market/evidence.ts';
import type { GpuDevice, GpuRequirement, Resources } from '../../../src/domain/units/resources.ts';

export const MIB = 2 ** 20;
export const GIB = 2 ** 30;

export function device(index: number, changes: Partial<GpuDevice> = {}): GpuDevice {
  return {
    index,
    vendor: 'nvidia',
    model: 'NVIDIA A100-SXM4-40GB',
    vramBytes: 40 * GIB,
    driver: '550.54.14',
    computeCapability: '8.0',
    ...changes,
  };
}

export function resources(changes: Partial<Resources> = {}): Resources {
  return { cpuMillis: 8000, memoryBytes: 16 * GIB, diskBytes: 100 * GIB, gpus: [], ...changes };
}

export const traits: NodeTraits = {
  peerId: 'provider-1',
  nodeVersion: '1.2.3',
  cpu: { cores: 8, arch: 'x64', model: 'AMD EPYC 7763', vendor: 'AuthenticAMD' },
  engines: { wasm: '1.0.0' },
  runtimes: { python: '3.12.0' },
  labels: { zone: 'a', tier: '' },
  location: { continent: 'EU', country: 'DE' },
};

export function available(changes: Partial<AvailableCapability> = {}): AvailableCapability {
  return { traits, onboarded: resources(), free: resources(), ...changes };
}

export function requirements(changes: Partial<Requirements> = {}): Requirements {
  return {
    resources: { cpuMillis: 500, memoryBytes: 256 * MIB, diskBytes: GIB, gpus: [] },
    engine: { type: 'wasm' },
    constraints: { hard: [], soft: [] },
    executionTimeoutMs: 600_000,
    ...changes,
  };
}

export function bidOf(provider: string, changes: Partial<Bid> = {}): Evidence<Bid> {
  const value: Bid = {
    bidId: `bid-of-${provider}`,
    requestId: 'request-1',
    jobId: 'job-1',
    price: { amount: '1', currency: 'USD', per: 'hour' },
    time: { durationMs: 600_000, startWithinMs: 5000 },
    validForMs: 30_000,
    slots: 1,
    comparison: { fields: [], hardOk: true, softScore: 1000 },
    load: 0.5,
    providerRecord: new Uint8Array(),
    ...changes,
  };
  return { type: 'bid', value, payload: new Uint8Array(), signature: new Uint8Array(), signer: provider };
}

const vram = fc.integer({ min: 1, max: 4 }).map((size) => size * 8 * GIB);

/** Devices that differ in VRAM, driver and model, with distinct indexes. */
export const anyDevices: fc.Arbitrary<readonly GpuDevice[]> = fc
  .array(
    fc.record({
      vramBytes: vram,
      model: fc.constantFrom('NVIDIA A100', 'NVIDIA H100', 'Tesla T4'),
      driver: fc.constantFrom('550.54.14', '535.1'),
    }),
    { maxLength: 6 },
  )
  .map((changes) => changes.map((change, index) => device(index, change)));

export const anyGroups: fc.Arbitrary<readonly GpuRequirement[]> = fc.array(
  fc.record(
    {
      count: fc.integer({ min: 1, max: 3 }),
      model: fc.constantFrom('a100', 'H100', 'T4'),
      vramBytes: vram,
      driver: fc.constantFrom('>=550', '<540'),
    },
    { requiredKeys: ['count'] },
  ),
  { maxLength: 3 },
);
