import { encodeCanonical, sameBytes } from '../../lib/canonical.ts';
import type { PeerRecordBytes } from './bid.ts';
import { NODE_FEATURES } from './features.ts';
import type { AvailableCapability, NodeTraits, Pools } from '../matching/capability.ts';
import type { Asking } from '../units/rate-card.ts';
import type { GpuDevice, Resources } from '../units/resources.ts';

/** Devices that are alike. */
export interface GpuGroup extends Omit<GpuDevice, 'index' | 'uuid'> {
  readonly count: number;
}

export interface AdvertAmounts extends Omit<Resources, 'gpus'> {
  readonly gpus: readonly GpuGroup[];
}

/** What a provider says of itself. */
export interface AdvertContent extends Omit<NodeTraits, 'peerId'> {
  readonly onboarded: AdvertAmounts;
  readonly free: AdvertAmounts;
  readonly price: Asking;
  /** Takes no new work. */
  readonly draining: boolean;
  /** What the node can do: see {@link NODE_FEATURES}. */
  readonly features?: readonly string[];
}

/** A provider's signed word on what it has, told to everybody now and then. */
export interface Advert extends AdvertContent {
  /** From receipt, on the receiver's clock: {@link VALIDITY_INTERVALS} of the sender's intervals. 0: the node leaves. */
  readonly validForMs: number;
  /** Grows with each advert of a node; the newest wins. */
  readonly sequence: number;
  readonly providerRecord: PeerRecordBytes;
}

/** Two adverts in a row may be lost before a provider is forgotten. */
export const VALIDITY_INTERVALS = 3;

/** Of the signed payload, so that an advert with its envelope goes through gossip. */
export const MOST_ADVERT_BYTES = 3 * 1024;

/** What an advert has room for; the rest of a node's words is left out of it. */
export const advertBounds = {
  gpuGroups: 8,
  devices: 64,
  names: 32,
  nameLength: 63,
  valueLength: 253,
  textLength: 96,
} as const;

/** What a constraint can name; nothing else is worth telling. */
export const advertName = /^[A-Za-z0-9_./-]{1,63}$/;

function clipped(text: string): string {
  return text.slice(0, advertBounds.textLength).toWellFormed();
}

function named(entries: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(entries)
      .filter(([name, value]) => advertName.test(name) && value.length <= advertBounds.valueLength)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, advertBounds.names)
      .map(([name, value]) => [name, value.toWellFormed()]),
  );
}

function clippedEntries<Key extends string>(
  entries: Readonly<Partial<Record<Key, string>>>,
): Partial<Record<Key, string>> {
  const kept: Partial<Record<Key, string>> = {};
  for (const key in entries) {
    const text = entries[key];
    if (text !== undefined) kept[key] = clipped(text);
  }
  return kept;
}

function kindOf(device: Omit<GpuGroup, 'count'>): Omit<GpuGroup, 'count'> {
  return {
    vendor: clipped(device.vendor),
    model: clipped(device.model),
    vramBytes: Math.floor(device.vramBytes),
    ...(device.driver === undefined ? {} : { driver: clipped(device.driver) }),
    ...(device.computeCapability === undefined
      ? {}
      : { computeCapability: clipped(device.computeCapability) }),
  };
}

function kindKey(kind: Omit<GpuGroup, 'count'>): string {
  const { vendor, model, vramBytes, driver = '', computeCapability = '' } = kind;
  return [vendor, model, vramBytes, driver, computeCapability].join('\0');
}

function groupsOf(devices: readonly GpuDevice[]): ReadonlyMap<string, GpuGroup> {
  const groups = new Map<string, GpuGroup>();
  for (const device of devices) {
    const kind = kindOf(device);
    const key = kindKey(kind);
    groups.set(key, { ...kind, count: (groups.get(key)?.count ?? 0) + 1 });
  }
  return groups;
}

/** How many devices of each kind an advert tells of. */
function toldCounts(onboarded: readonly GpuDevice[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  let room: number = advertBounds.devices;
  for (const [kind, { count }] of groupsOf(onboarded)) {
    if (room === 0 || counts.size === advertBounds.gpuGroups) break;
    const told = Math.min(count, room);
    counts.set(kind, told);
    room -= told;
  }
  return counts;
}

function amountsOf(resources: Resources, told: ReadonlyMap<string, number>): AdvertAmounts {
  return {
    cpuMillis: Math.floor(resources.cpuMillis),
    memoryBytes: Math.floor(resources.memoryBytes),
    diskBytes: Math.floor(resources.diskBytes),
    gpus: [...groupsOf(resources.gpus)]
      .filter(([kind]) => told.has(kind))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([kind, group]) => ({ ...group, count: Math.min(group.count, told.get(kind) ?? 0) })),
  };
}

/** What fits into an advert of a node, in the form that others take. */
export function advertContent(node: {
  readonly traits: NodeTraits;
  readonly pools: Pick<Pools, 'onboarded' | 'free'>;
  readonly price: Asking;
  readonly draining: boolean;
}): AdvertContent {
  const { traits, pools } = node;
  const { cpu } = traits;
  const told = toldCounts(pools.onboarded.gpus);
  return {
    nodeVersion: clipped(traits.nodeVersion),
    cpu: {
      cores: cpu.cores,
      arch: clipped(cpu.arch),
      model: clipped(cpu.model),
      vendor: clipped(cpu.vendor),
    },
    engines: named(traits.engines),
    runtimes: named(traits.runtimes),
    ...(traits.runtimeMemory === undefined ? {} : { runtimeMemory: traits.runtimeMemory }),
    labels: named(traits.labels),
    location: clippedEntries(traits.location),
    onboarded: amountsOf(pools.onboarded, told),
    free: amountsOf(pools.free, told),
    price: node.price,
    draining: node.draining,
    features: NODE_FEATURES,
  };
}

/** Groups that a later release tells apart may be alike here. */
function countsByKind(groups: readonly GpuGroup[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const group of groups) {
    const kind = kindKey(group);
    counts.set(kind, (counts.get(kind) ?? 0) + group.count);
  }
  return counts;
}

/** True when no more is free than there is: no honest node says otherwise. */
export function isConsistentAdvert({ onboarded, free }: Pick<Advert, 'onboarded' | 'free'>): boolean {
  const present = countsByKind(onboarded.gpus);
  return (
    free.cpuMillis <= onboarded.cpuMillis &&
    free.memoryBytes <= onboarded.memoryBytes &&
    free.diskBytes <= onboarded.diskBytes &&
    [...countsByKind(free.gpus)].every(([kind, count]) => count <= (present.get(kind) ?? 0))
  );
}

function devicesOf(groups: readonly GpuGroup[]): readonly GpuDevice[] {
  return groups
    .flatMap(({ count, ...kind }) => Array.from({ length: count }, () => kind))
    .map((kind, index) => ({ ...kind, index }));
}

function resourcesOf(amounts: AdvertAmounts): Resources {
  return { ...amounts, gpus: devicesOf(amounts.gpus) };
}

/**
 * What requirements are compared with when a provider is only known by its advert. Device indexes are made up:
 * those of `free` and of `onboarded` do not name the same devices.
 */
export function advertToCapability(advert: AdvertContent, peerId: string): AvailableCapability {
  const { nodeVersion, cpu, engines, runtimes, labels, location, runtimeMemory } = advert;
  return {
    traits: {
      peerId,
      nodeVersion,
      cpu,
      engines,
      runtimes,
      labels,
      location,
      ...(runtimeMemory === undefined ? {} : { runtimeMemory }),
    },
    onboarded: resourcesOf(advert.onboarded),
    free: resourcesOf(advert.free),
  };
}

/** A change of free capacity of this share of what is onboarded is worth an advert before its time. */
const BIG_SHARE = 0.2;

const AMOUNTS = ['cpuMillis', 'memoryBytes', 'diskBytes'] as const;

function sameValue(a: unknown, b: unknown): boolean {
  return sameBytes(encodeCanonical(a), encodeCanonical(b));
}

/** True when those who know `before` should soon know `after`. */
export function isBigChange(before: AdvertContent, after: AdvertContent): boolean {
  const { free: freeBefore, ...restBefore } = before;
  const { free: freeAfter, ...restAfter } = after;
  if (!sameValue(restBefore, restAfter) || !sameValue(freeBefore.gpus, freeAfter.gpus)) return true;
  return AMOUNTS.some(
    (amount) =>
      Math.abs(freeAfter[amount] - freeBefore[amount]) >= BIG_SHARE * Math.max(1, after.onboarded[amount]),
  );
}
