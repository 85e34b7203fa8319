import {
  NO_RESOURCES,
  type ResourceRequirements,
  type Resources,
  addResources,
} from '../../domain/units/resources.ts';

/** Of one machine: what is offered, what is free of it, and what strangers have together, begun or not. */
export interface ShareState {
  readonly onboarded: Resources;
  readonly free: Resources;
  readonly ofStrangers: readonly Resources[];
  /** In percent of what is offered; 0 where there is nobody to keep it for. */
  readonly keptPercent: number;
}

/** One stranger, or all that come from its network. */
export interface StrangerState {
  /** Thousandths of the share of strangers that it may hold without having begun. */
  readonly standing: number;
  /** What it holds so. */
  readonly unbegun: readonly Resources[];
}

const UNKNOWN: StrangerState = { standing: 1000, unbegun: [] };

/**
 * What one more stranger can have now: never more than is free, than strangers together have left of theirs, and than its
 * standing is worth. Of two
 * devices or more one is left; of a single one there is no share, so it is anybody's.
 */
export function strangersFree(
  { onboarded, free, ofStrangers, keptPercent }: ShareState,
  gpus: ResourceRequirements['gpus'] = [],
  { standing, unbegun }: StrangerState = UNKNOWN,
): Resources {
  const taken = ofStrangers.reduce(addResources, NO_RESOURCES);
  const own = unbegun.reduce(addResources, NO_RESOURCES);
  const left = (amount: 'cpuMillis' | 'memoryBytes' | 'diskBytes'): number => {
    const offered = onboarded[amount];
    const most = offered - Math.floor((offered * keptPercent) / 100);
    const ownMost = Math.floor((most * standing) / 1000);
    return Math.max(0, Math.min(free[amount], most - taken[amount], ownMost - own[amount]));
  };
  const devices = devicesFor(onboarded, keptPercent);
  const ownDevices = Math.ceil((devices * standing) / 1000) - own.gpus.length;
  return {
    cpuMillis: left('cpuMillis'),
    memoryBytes: left('memoryBytes'),
    diskBytes: left('diskBytes'),
    gpus: offeredOf(free.gpus, Math.min(devices - taken.gpus.length, ownDevices), gpus),
  };
}

function devicesFor({ gpus }: Resources, keptPercent: number): number {
  return keptPercent === 0 || gpus.length < 2 ? gpus.length : gpus.length - 1;
}

/** Any of the devices for whoever asks for no more than are left to strangers: which one is kept is nobody's matter. */
function offeredOf(
  devices: Resources['gpus'],
  most: number,
  wanted: ResourceRequirements['gpus'],
): Resources['gpus'] {
  const count = wanted.reduce((sum, group) => sum + group.count, 0);
  return count <= most ? devices : devices.slice(0, Math.max(0, most));
}
