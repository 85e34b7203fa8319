import type { Resources } from '../../domain/resources.ts';

/** How much of one resource is offered: everything, a share of it, or an amount in its own unit. */
export type Offer =
  | { readonly kind: 'all' }
  | { readonly kind: 'share'; readonly percent: number }
  | { readonly kind: 'amount'; readonly amount: number };

export interface Onboarding {
  readonly cpu: Offer;
  readonly memory: Offer;
  readonly disk: Offer;
  /** All devices, none, or those with these indexes. */
  readonly gpus: 'all' | 'none' | readonly number[];
}

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
