import { describe, expect, it } from 'vitest';
import type { Onboarding } from '../../../../src/provider/options.ts';
import { beyondMachine, missingDevices, onboard } from '../../../../src/provider/resources/onboarding.ts';
import { resources } from '../../domain/market-values.ts';

const MACHINE = resources({
  gpus: [0, 1].map((index) => ({ index, vendor: 'nvidia', model: 'T4', vramBytes: 2 ** 34 })),
});

function offering(gpus: Onboarding['gpus']): Onboarding {
  return { cpu: { kind: 'all' }, memory: { kind: 'all' }, disk: { kind: 'all' }, gpus };
}

describe('devices offered by their index', () => {
  it('are those, and the ones that are not there are named', () => {
    const offer = offering([1, 5]);
    expect(onboard(MACHINE, offer).gpus.map(({ index }) => index)).toEqual([1]);
    expect(missingDevices(MACHINE, offer)).toEqual([5]);
  });

  it.each(['all', 'none'] as const)('are never missing where %s of them are offered', (gpus) => {
    expect(missingDevices(MACHINE, offering(gpus))).toEqual([]);
  });
});

describe('an amount that the machine does not have', () => {
  it('is named, and what there is of it is offered', () => {
    const offer: Onboarding = {
      cpu: { kind: 'amount', amount: MACHINE.cpuMillis + 1 },
      memory: { kind: 'amount', amount: MACHINE.memoryBytes },
      disk: { kind: 'share', percent: 100 },
      gpus: 'all',
    };
    expect(beyondMachine(MACHINE, offer)).toEqual(['cpu']);
    expect(onboard(MACHINE, offer).cpuMillis).toBe(MACHINE.cpuMillis);
  });
});
