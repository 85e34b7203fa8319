import { grant } from '../../domain/matching.ts';
import { type ResourceRequirements, type Resources, subtractResources } from '../../domain/resources.ts';

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

function timesIn(available: number, required: number): number {
  return required === 0 ? Number.POSITIVE_INFINITY : Math.floor(available / required);
}
