import type { Resources } from '../../domain/units/resources.ts';
import type { Offer, Onboarding } from '../options.ts';

/** What a machine offers; never more than it has. */
export function onboard(machine: Resources, offer: Onboarding): Resources {
  const { gpus } = offer;
  return {
    cpuMillis: part(machine.cpuMillis, offer.cpu),
    memoryBytes: part(machine.memoryBytes, offer.memory),
    diskBytes: part(machine.diskBytes, offer.disk),
    gpus:
      gpus === 'all'
        ? machine.gpus
        : gpus === 'none'
          ? []
          : machine.gpus.filter((gpu) => gpus.includes(gpu.index)),
  };
}

/** Devices that are offered by their index and that the machine does not have. */
export function missingDevices(machine: Resources, { gpus }: Onboarding): readonly number[] {
  if (gpus === 'all' || gpus === 'none') return [];
  return gpus.filter((wanted) => !machine.gpus.some(({ index }) => index === wanted));
}

/** What is offered by an amount that the machine does not have, by the names of the settings. */
export function beyondMachine(
  machine: Pick<Resources, 'cpuMillis' | 'memoryBytes' | 'diskBytes'>,
  { cpu, memory, disk }: Pick<Onboarding, 'cpu' | 'memory' | 'disk'>,
): readonly string[] {
  const offers = [
    ['cpu', cpu, machine.cpuMillis],
    ['memory', memory, machine.memoryBytes],
    ['disk', disk, machine.diskBytes],
  ] as const;
  return offers
    .filter(([, offer, total]) => offer.kind === 'amount' && offer.amount > total)
    .map(([name]) => name);
}

function part(total: number, offer: Offer): number {
  switch (offer.kind) {
    case 'all':
      return total;
    case 'share':
      return Math.floor((total * offer.percent) / 100);
    case 'amount':
      return Math.min(total, offer.amount);
  }
}
