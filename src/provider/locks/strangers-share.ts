import {
  NO_RESOURCES,
  type ResourceRequirements,
  type Resources,
  addResources,
} from '../../domain/resources.ts';

/** Of one machine: what is offered, what is free of it, and what strangers have together, begun or not. */
export interface ShareState {
  readonly onboarded: Resources;
  readonly free: Resources;
  readonly ofStrangers: readonly Resources[];
  /** In percent of what is offered; 0 where there is nobody to keep it for. */
  readonly keptPercent: number;
}

/**
 * What one more stranger can have now: never more than is free, nor than strangers together have left of theirs. Of two
 * devices or more one is left; of a single one there is no share, so it is anybody's.
 */
export function strangersFree(state: ShareState, gpus: ResourceRequirements['gpus'] = []): Resources {
  const { onboarded, free, ofStrangers, keptPercent } = state;
  const taken = ofStrangers.reduce(addResources, NO_RESOURCES);
  const left = (offered: number, used: number, now: number): number => {
    const most = offered - Math.floor((offered * keptPercent) / 100);
    return Math.max(0, Math.min(now, most - used));
  };
  const devices = devicesFor(onboarded, keptPercent) - taken.gpus.length;
  return {
    cpuMillis: left(onboarded.cpuMillis, taken.cpuMillis, free.cpuMillis),
    memoryBytes: left(onboarded.memoryBytes, taken.memoryBytes, free.memoryBytes),
    diskBytes: left(onboarded.diskBytes, taken.diskBytes, free.diskBytes),
    gpus: offeredOf(free.gpus, devices, gpus),
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
