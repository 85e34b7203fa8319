import type { Price } from '../units/money.ts';
import { type Asking, isRateCard, priceOf } from '../units/rate-card.ts';
import type { GpuRequirement, ResourceRequirements, Resources } from '../units/resources.ts';
import { chooseDevices } from './device-matching.ts';

/**
 * What a machine asks for a job: the devices that it would get are those that are free, or, where they are not, those
 * that it would get of an idle machine.
 */
export function askedFor(
  asking: Asking,
  requirements: ResourceRequirements,
  pools: { readonly free: Pick<Resources, 'gpus'>; readonly onboarded: Pick<Resources, 'gpus'> },
): Price {
  if (!isRateCard(asking)) return asking;
  const { gpus } = requirements;
  const granted = chooseDevices(gpus, pools.free.gpus) ?? chooseDevices(gpus, pools.onboarded.gpus);
  return priceOf(asking, {
    ...requirements,
    models: granted?.map(({ model }) => model) ?? wantedModels(gpus),
  });
}

/** For a machine that has no such devices: the job does not fit, and what it would cost is said all the same. */
function wantedModels(groups: readonly GpuRequirement[]): readonly string[] {
  return groups.flatMap(({ count, model = '' }) => Array.from({ length: count }, () => model));
}
