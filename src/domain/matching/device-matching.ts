import { bytesAsked, bytesThere } from './field-text.ts';
import type { GpuDevice, GpuRequirement } from '../units/resources.ts';
import { versionInRange } from '../units/version-range.ts';

/** One property that a group may ask for. */
export interface DeviceTest {
  readonly field: string;
  /** Undefined where the group does not ask for it. */
  readonly required: (group: GpuRequirement) => string | undefined;
  readonly available: (device: GpuDevice, group: GpuRequirement) => string;
  readonly passes: (group: GpuRequirement, device: GpuDevice) => boolean;
  /** The group without asking for it. */
  readonly relaxed: (group: GpuRequirement) => GpuRequirement;
}

function containsText(text: string, part: string | undefined): boolean {
  return part === undefined || text.toLowerCase().includes(part.toLowerCase());
}

/** Only by the numbers: what stands behind a dash in the version of a driver is a build and no prerelease. */
function inRange(version: string | undefined, range: string | undefined): boolean {
  if (range === undefined) return true;
  const [numbers] = version?.split('-', 1) ?? [];
  return numbers !== undefined && versionInRange(numbers, range) === true;
}

/** From what kind of device it is to what of it there is. */
export const DEVICE_TESTS: readonly DeviceTest[] = [
  {
    field: 'gpu.vendor',
    required: (group) => group.vendor,
    available: (device) => device.vendor,
    passes: (group, device) => containsText(device.vendor, group.vendor),
    relaxed: ({ vendor: _vendor, ...group }) => group,
  },
  {
    field: 'gpu.model',
    required: (group) => group.model,
    available: (device) => device.model,
    passes: (group, device) => containsText(device.model, group.model),
    relaxed: ({ model: _model, ...group }) => group,
  },
  {
    field: 'gpu.vram',
    required: (group) => (group.vramBytes === undefined ? undefined : bytesAsked(group.vramBytes)),
    available: (device, group) => bytesThere(device.vramBytes, group.vramBytes),
    passes: (group, device) => device.vramBytes >= (group.vramBytes ?? 0),
    relaxed: ({ vramBytes: _vramBytes, ...group }) => group,
  },
  {
    field: 'gpu.driver',
    required: (group) => group.driver,
    available: (device) => device.driver ?? 'unknown',
    passes: (group, device) => inRange(device.driver, group.driver),
    relaxed: ({ driver: _driver, ...group }) => group,
  },
  {
    field: 'gpu.computeCapability',
    required: (group) => group.computeCapability,
    available: (device) => device.computeCapability ?? 'unknown',
    passes: (group, device) => inRange(device.computeCapability, group.computeCapability),
    relaxed: ({ computeCapability: _computeCapability, ...group }) => group,
  },
];

function fitsGroup(group: GpuRequirement, device: GpuDevice): boolean {
  return DEVICE_TESTS.every((test) => test.passes(group, device));
}

function strictness(group: GpuRequirement): number {
  const named = [group.vendor, group.model, group.driver, group.computeCapability];
  return named.filter((property) => property !== undefined).length;
}

/** Most VRAM first, then most properties named: the groups that are hardest to serve choose first. */
export function strictestFirst(a: GpuRequirement, b: GpuRequirement): number {
  return (b.vramBytes ?? 0) - (a.vramBytes ?? 0) || strictness(b) - strictness(a);
}

/** Finds a device for `slot`, moving earlier slots to other devices where that makes room. */
function assign(
  slot: number,
  wanted: readonly (readonly number[])[],
  holders: Map<number, number>,
  tried: Set<number>,
): boolean {
  for (const device of wanted[slot] ?? []) {
    if (tried.has(device)) continue;
    tried.add(device);
    const holder = holders.get(device);
    if (holder === undefined || assign(holder, wanted, holders, tried)) {
      holders.set(device, slot);
      return true;
    }
  }
  return false;
}

function smallerFirst(a: GpuDevice, b: GpuDevice): number {
  return a.vramBytes - b.vramBytes || a.index - b.index;
}

function smallestFitting(group: GpuRequirement, devices: readonly GpuDevice[]): GpuDevice[] | undefined {
  let best: GpuDevice | undefined;
  for (const device of devices) {
    if ((best === undefined || smallerFirst(device, best) < 0) && fitsGroup(group, device)) best = device;
  }
  return best === undefined ? undefined : [best];
}

/**
 * Devices for all groups, each used once, the smallest that fit; undefined when there is no such choice.
 * The choice is exact: where one exists it is found, and more devices never make it fail.
 */
export function chooseDevices(
  groups: readonly GpuRequirement[],
  devices: readonly GpuDevice[],
): readonly GpuDevice[] | undefined {
  const count = groups.reduce((sum, group) => sum + group.count, 0);
  if (count === 0) return [];
  if (count > devices.length) return undefined;
  const [only] = groups;
  if (count === 1 && only !== undefined) return smallestFitting(only, devices);
  const smallestFirst = [...devices].sort(smallerFirst);
  const wanted = [...groups].sort(strictestFirst).flatMap((group) => {
    const suitable = smallestFirst.flatMap((device, at) => (fitsGroup(group, device) ? [at] : []));
    return Array.from({ length: group.count }, () => suitable);
  });
  const holders = new Map<number, number>();
  for (let slot = 0; slot < wanted.length; slot += 1) {
    if (!assign(slot, wanted, holders, new Set())) return undefined;
  }
  return smallestFirst.filter((_, at) => holders.has(at)).sort((a, b) => a.index - b.index);
}
