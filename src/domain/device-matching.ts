import type { FieldComparison } from './comparison.ts';
import { bytesAtLeast, bytesAtMost, clippedText } from './field-text.ts';
import type { GpuDevice, GpuRequirement } from './resources.ts';
import { versionInRange } from './version-range.ts';

interface DeviceTest {
  readonly field: string;
  readonly required: (group: GpuRequirement) => string | undefined;
  readonly available: (device: GpuDevice) => string;
  readonly passes: (group: GpuRequirement, device: GpuDevice) => boolean;
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

const DEVICE_TESTS: readonly DeviceTest[] = [
  {
    field: 'gpu.vendor',
    required: (group) => group.vendor,
    available: (device) => device.vendor,
    passes: (group, device) => containsText(device.vendor, group.vendor),
  },
  {
    field: 'gpu.model',
    required: (group) => group.model,
    available: (device) => device.model,
    passes: (group, device) => containsText(device.model, group.model),
  },
  {
    field: 'gpu.vram',
    required: (group) => (group.vramBytes === undefined ? undefined : bytesAtLeast(group.vramBytes)),
    available: (device) => bytesAtMost(device.vramBytes),
    passes: (group, device) => device.vramBytes >= (group.vramBytes ?? 0),
  },
  {
    field: 'gpu.driver',
    required: (group) => group.driver,
    available: (device) => device.driver ?? 'unknown',
    passes: (group, device) => inRange(device.driver, group.driver),
  },
  {
    field: 'gpu.computeCapability',
    required: (group) => group.computeCapability,
    available: (device) => device.computeCapability ?? 'unknown',
    passes: (group, device) => inRange(device.computeCapability, group.computeCapability),
  },
];

function fits(group: GpuRequirement, device: GpuDevice): boolean {
  return DEVICE_TESTS.every((test) => test.passes(group, device));
}

function strictness(group: GpuRequirement): number {
  const named = [group.vendor, group.model, group.driver, group.computeCapability];
  return named.filter((property) => property !== undefined).length;
}

/** Most VRAM first, then most properties named: the groups that are hardest to serve choose first. */
function strictestFirst(a: GpuRequirement, b: GpuRequirement): number {
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
    if ((best === undefined || smallerFirst(device, best) < 0) && fits(group, device)) best = device;
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
    const suitable = smallestFirst.flatMap((device, at) => (fits(group, device) ? [at] : []));
    return Array.from({ length: group.count }, () => suitable);
  });
  const holders = new Map<number, number>();
  for (let slot = 0; slot < wanted.length; slot += 1) {
    if (!assign(slot, wanted, holders, new Set())) return undefined;
  }
  return smallestFirst.filter((_, at) => holders.has(at)).sort((a, b) => a.index - b.index);
}

function describeGroup(group: GpuRequirement): string {
  let text = `${group.count} x`;
  for (const test of DEVICE_TESTS) {
    const wanted = test.required(group);
    if (wanted !== undefined) text += ` ${wanted}`;
  }
  return clippedText(text);
}

/** How many there are, and the first of them. */
function describeDevices(devices: readonly GpuDevice[]): string {
  const [first] = devices;
  if (first === undefined) return 'none';
  return clippedText(`${devices.length} x ${first.model} ${bytesAtMost(first.vramBytes)}`);
}

/** The first property for which too few devices are left, or the count itself. */
function missedProperty(group: GpuRequirement, devices: readonly GpuDevice[]): FieldComparison {
  let left = devices;
  for (const test of DEVICE_TESTS) {
    const passing = left.filter((device) => test.passes(group, device));
    if (passing.length < group.count && left.length >= group.count) {
      const texts = new Set(left.map((device) => test.available(device)));
      return {
        field: test.field,
        required: clippedText(test.required(group) ?? ''),
        available: clippedText([...texts].join(', ')),
        result: 'Worse',
        hard: true,
      };
    }
    left = passing;
  }
  return {
    field: 'gpu.count',
    required: String(group.count),
    available: String(left.length),
    result: left.length === 0 ? 'Error' : 'Worse',
    hard: true,
  };
}

/** One field for each group that is served, or the field that is in the way. */
export function compareDevices(
  groups: readonly GpuRequirement[],
  devices: readonly GpuDevice[],
): readonly FieldComparison[] {
  if (groups.length === 0) return [];
  if (chooseDevices(groups, devices) !== undefined) {
    const available = describeDevices(devices);
    return groups.map((group) => ({
      field: 'gpu',
      required: describeGroup(group),
      available,
      result: devices.length > group.count ? 'Better' : 'Equal',
      hard: true,
    }));
  }
  const alone = groups.find((group) => chooseDevices([group], devices) === undefined);
  if (alone !== undefined) return [missedProperty(alone, devices)];
  return [
    {
      field: 'gpu.count',
      required: clippedText(groups.map(describeGroup).join(', ')),
      available: String(devices.length),
      result: 'Worse',
      hard: true,
    },
  ];
}
