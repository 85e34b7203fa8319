import { grant } from './matching.ts';
import { type ResourceRequirements, type Resources, subtractResources } from '../units/resources.ts';

/** What would stay free on the provider with this job on it. Shares are of what it offers, from 0 to 1. */
export interface BidFit {
  readonly cpuFree: number;
  readonly memoryFree: number;
  readonly diskFree: number;
  /** Whole devices, out of `gpus`. */
  readonly gpusFree: number;
  readonly gpus: number;
}

/** What would stay free with one job of these requirements; undefined when there is no room for it right now. */
export function fitAfter(
  requirements: ResourceRequirements,
  pools: { readonly onboarded: Resources; readonly free: Resources },
): BidFit | undefined {
  const { onboarded, free } = pools;
  const granted = grant(requirements, free);
  if (granted === undefined) return undefined;
  const left = subtractResources(free, granted);
  return {
    cpuFree: shareOf(left.cpuMillis, onboarded.cpuMillis),
    memoryFree: shareOf(left.memoryBytes, onboarded.memoryBytes),
    diskFree: shareOf(left.diskBytes, onboarded.diskBytes),
    gpusFree: left.gpus.length,
    gpus: onboarded.gpus.length,
  };
}

function shareOf(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.min(1, part / whole);
}
