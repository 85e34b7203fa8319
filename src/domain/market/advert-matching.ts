import { advertToCapability, type AdvertContent } from './advert.ts';
import type { Requirements } from '../matching/requirements.ts';
import { compareBudget } from '../matching/budget-matching.ts';
import type { AvailableCapability } from '../matching/capability.ts';
import type { CapabilityComparison, FieldComparison } from '../matching/comparison.ts';
import { compare } from '../matching/matching.ts';
import { costNano, type Price } from '../units/money.ts';
import { askedFor } from '../matching/asking-price.ts';
import { bookedResources } from '../matching/runtime-memory.ts';

/** A provider as its newest advert shows it. */
export interface AdvertisedProvider {
  readonly peer: string;
  readonly advert: AdvertContent;
  readonly capability: AvailableCapability;
}

export function advertisedProvider(peer: string, advert: AdvertContent): AdvertisedProvider {
  return { peer, advert, capability: advertToCapability(advert, peer) };
}

/** What is asked of the providers in the table. */
export interface AdvertQuery {
  readonly requirements: Requirements;
  /** Providers whose advertised price is over it for the whole execution timeout do not fit. */
  readonly budget?: Price;
}

function drainingField({ draining }: AdvertContent): readonly FieldComparison[] {
  if (!draining) return [];
  return [{ field: 'node.draining', required: 'no', available: 'yes', result: 'Worse', hard: true }];
}

/** What the provider would ask for the job, by its advert. */
function advertisedPrice({ requirements }: AdvertQuery, { advert, capability }: AdvertisedProvider): Price {
  return askedFor(advert.price, requirements.resources, capability);
}

function priceField(query: AdvertQuery, provider: AdvertisedProvider): readonly FieldComparison[] {
  const { requirements, budget } = query;
  if (budget === undefined) return [];
  return [compareBudget(budget, advertisedPrice(query, provider), requirements.executionTimeoutMs)];
}

/** {@link compare}, and whether the provider takes work at all and at what price. */
export function compareAdvert(query: AdvertQuery, provider: AdvertisedProvider): CapabilityComparison {
  const { advert, capability } = provider;
  const comparison = compare(query.requirements, capability);
  const added = [...drainingField(advert), ...priceField(query, provider)];
  const met = added.every(({ result }) => result === 'Equal' || result === 'Better');
  return {
    fields: [...comparison.fields, ...added],
    hardOk: comparison.hardOk && met,
    softScore: comparison.softScore,
  };
}

/** True when it would fit were nothing running there. */
export function fitsWhenIdle(query: AdvertQuery, provider: AdvertisedProvider): boolean {
  const { capability } = provider;
  const idle = { ...capability, free: capability.onboarded };
  return compareAdvert(query, { ...provider, capability: idle }).hardOk;
}

/** What cannot fit whatever else holds, found without making a comparison: cheap enough for every provider. */
export function cannotFit(query: AdvertQuery, { advert }: AdvertisedProvider): boolean {
  const { resources, engine } = query.requirements;
  const { onboarded } = advert;
  const wantedGpus = resources.gpus.reduce((sum, group) => sum + group.count, 0);
  return (
    advert.draining ||
    !Object.hasOwn(advert.engines, engine.type) ||
    (query.budget !== undefined && query.budget.currency !== advert.price.currency) ||
    resources.cpuMillis > onboarded.cpuMillis ||
    bookedResources(query.requirements, advert).memoryBytes > onboarded.memoryBytes ||
    resources.diskBytes > onboarded.diskBytes ||
    wantedGpus > onboarded.gpus.reduce((sum, group) => sum + group.count, 0)
  );
}

/** How much of a machine stays free beside the job, 0 to 1: where there is more, an old advert misleads less. */
function headroomOf(requirements: Requirements, advert: AdvertContent): number {
  const { free, onboarded } = advert;
  const resources = bookedResources(requirements, advert);
  const left = (['cpuMillis', 'memoryBytes'] as const).map(
    (amount) => (free[amount] - resources[amount]) / Math.max(1, onboarded[amount]),
  );
  return Math.min(...left);
}

/** What candidates are ordered by. */
export interface CandidateMerit {
  readonly fits: boolean;
  readonly softScore: number;
  /** Would put a job without devices on a machine with some. */
  readonly wastesGpus: boolean;
  /** Compared only under a budget, where all have one currency. */
  readonly costNano: bigint;
  readonly headroom: number;
}

export function meritOf(
  query: AdvertQuery,
  provider: AdvertisedProvider,
  comparison: CapabilityComparison,
): CandidateMerit {
  const { requirements, budget } = query;
  const { advert } = provider;
  return {
    fits: comparison.hardOk,
    softScore: comparison.softScore,
    wastesGpus: requirements.resources.gpus.length === 0 && advert.onboarded.gpus.length > 0,
    costNano:
      budget === undefined ? 0n : costNano(advertisedPrice(query, provider), requirements.executionTimeoutMs),
    headroom: headroomOf(requirements, advert),
  };
}

/** Negative when `a` is the better one. */
export function betterFirst(a: CandidateMerit, b: CandidateMerit): number {
  if (a.fits !== b.fits) return a.fits ? -1 : 1;
  if (a.softScore !== b.softScore) return b.softScore - a.softScore;
  if (a.wastesGpus !== b.wastesGpus) return a.wastesGpus ? 1 : -1;
  if (a.costNano !== b.costNano) return a.costNano < b.costNano ? -1 : 1;
  return b.headroom - a.headroom;
}
