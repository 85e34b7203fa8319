import { describe, expect, it } from 'vitest';
import { askedFor } from '../../../../src/domain/matching/asking-price.ts';
import type { GpuDevice, ResourceRequirements } from '../../../../src/domain/units/resources.ts';

const CARD = { currency: 'USD', gpuHour: { default: '0.5', H100: '2.5' } } as const;

const device = (index: number, model: string, gib: number): GpuDevice => ({
  index,
  vendor: 'nvidia',
  model,
  vramBytes: gib * 2 ** 30,
});
const [small, large] = [device(0, 'NVIDIA T4', 16), device(1, 'NVIDIA H100', 80)];

function wanting(...gpus: ResourceRequirements['gpus'][number][]): ResourceRequirements {
  return { cpuMillis: 0, memoryBytes: 0, diskBytes: 0, gpus };
}
const amount = (requirements: ResourceRequirements, free: readonly GpuDevice[]): string =>
  askedFor(CARD, requirements, { free: { gpus: free }, onboarded: { gpus: [small, large] } }).amount;

describe('what a machine with a rate card asks for a job', () => {
  it('is for the devices that it would get', () => {
    expect(amount(wanting({ count: 1 }), [small, large])).toBe('0.5');
    expect(amount(wanting({ count: 1 }), [large])).toBe('2.5');
    expect(amount(wanting({ count: 1, vramBytes: 40 * 2 ** 30 }), [small, large])).toBe('2.5');
    expect(amount(wanting({ count: 2 }), [small, large])).toBe('3');
  });

  it('is for those of an idle machine where none is free, and for those it names where there are none', () => {
    expect(amount(wanting({ count: 1, model: 'h100' }), [])).toBe('2.5');
    expect(amount(wanting({ count: 4 }), [])).toBe('2');
  });
});
