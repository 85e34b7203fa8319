import type { Pools } from '../../domain/matching/capability.ts';
import { grant } from '../../domain/matching/matching.ts';
import {
  type ResourceRequirements,
  type Resources,
  subtractResources,
} from '../../domain/units/resources.ts';

/** How many times `requirements` fit into `free` at once, counted up to `most`. */
export function placesIn(requirements: ResourceRequirements, free: Resources, most: number): number {
  const { cpuMillis, memoryBytes, diskBytes, gpus } = requirements;
  const bound = Math.min(
    most,
    timesIn(free.cpuMillis, cpuMillis),
    timesIn(free.memoryBytes, memoryBytes),
    timesIn(free.diskBytes, diskBytes),
  );
  if (gpus.length === 0) return bound;
  let left = free;
  for (let places = 0; places < bound; places += 1) {
    const granted = grant(requirements, left);
    if (granted === undefined) return places;
    left = subtractResources(left, granted);
  }
  return bound;
}

/** The fullest of CPU and memory once `requirements` are in, from 0 to 1. */
export function loadAfter(
  requirements: ResourceRequirements,
  { onboarded, free }: Pick<Pools, 'onboarded' | 'free'>,
): number {
  const share = (total: number, left: number, more: number): number =>
    total === 0 ? 1 : Math.min(1, (total - left + more) / total);
  return Math.max(
    share(onboarded.cpuMillis, free.cpuMillis, requirements.cpuMillis),
    share(onboarded.memoryBytes, free.memoryBytes, requirements.memoryBytes),
  );
}

function timesIn(available: number, required: number): number {
  return required === 0 ? Number.POSITIVE_INFINITY : Math.floor(available / required);
}
