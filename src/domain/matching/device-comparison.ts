import type { FieldComparison } from './comparison.ts';
import { chooseDevices, DEVICE_TESTS, type DeviceTest, strictestFirst } from './device-matching.ts';
import { bytesThere, clippedText } from './field-text.ts';
import type { GpuDevice, GpuRequirement } from '../units/resources.ts';

/** Less of a device is a smaller change than another kind of it. */
const SMALLEST_CHANGE_FIRST = DEVICE_TESTS.toReversed();

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
  return clippedText(`${devices.length} x ${first.model} ${bytesThere(first.vramBytes)}`);
}

function miss(field: string, required: string, available: string): FieldComparison {
  const result = available === '0' ? 'Error' : 'Worse';
  return { field, required: clippedText(required), available: clippedText(available), result, hard: true };
}

/** `missing` of the devices would do: those of them that are nearest are not what is to be asked for. */
function missOf(
  test: DeviceTest,
  group: GpuRequirement,
  devices: readonly GpuDevice[],
  missing: number,
): FieldComparison {
  const keptOut =
    test.field === 'gpu.vram' && devices.length > 1
      ? devices.toSorted((a, b) => b.vramBytes - a.vramBytes).slice(Math.max(0, missing - 1))
      : devices;
  const texts: string[] = [];
  for (const device of keptOut) {
    const text = test.available(device, group);
    if (!texts.includes(text)) texts.push(text);
  }
  return miss(test.field, test.required(group) ?? '', texts.join(', '));
}

/** One alone could be asked less of; with two it is plain that no one would do. */
const ENOUGH_TESTS = 2;

interface KeptOut {
  readonly device: GpuDevice;
  readonly by: readonly DeviceTest[];
}

/** What a group gets, and what it does not get and why. Made for every machine that does not fit, so it is made once. */
interface Offer {
  readonly group: GpuRequirement;
  readonly keptOut: readonly KeptOut[];
  /** So many more devices would do. */
  readonly missing: number;
}

function offerTo(group: GpuRequirement, devices: readonly GpuDevice[]): Offer {
  const keptOut: KeptOut[] = [];
  for (const device of devices) {
    const by: DeviceTest[] = [];
    for (const test of DEVICE_TESTS) {
      if (test.passes(group, device)) continue;
      if (by.push(test) === ENOUGH_TESTS) break;
    }
    if (by.length > 0) keptOut.push({ device, by });
  }
  return { group, keptOut, missing: group.count - (devices.length - keptOut.length) };
}

/** The one property of one group without which devices could be chosen for all of them. */
function onlyMiss(offers: readonly Offer[], devices: readonly GpuDevice[]): FieldComparison | undefined {
  for (const { group, keptOut, missing } of offers) {
    for (const test of SMALLEST_CHANGE_FIRST) {
      const byIt: GpuDevice[] = [];
      for (const { device, by } of keptOut) if (by.length === 1 && by[0] === test) byIt.push(device);
      if (byIt.length < Math.max(1, missing)) continue;
      const relaxed = offers.map((other) => (other.group === group ? test.relaxed(group) : other.group));
      if (offers.length === 1 || chooseDevices(relaxed, devices) !== undefined)
        return missOf(test, group, byIt, missing);
    }
  }
  return undefined;
}

function nearestFirst(a: KeptOut, b: KeptOut): number {
  return a.by.length - b.by.length || b.device.vramBytes - a.device.vramBytes;
}

/**
 * The properties that keep out the devices that come nearest to what a group asks for, each with what there is of it
 * on any device that is as near.
 */
function allMisses({ group, keptOut, missing }: Offer): readonly FieldComparison[] {
  const sorted = keptOut.toSorted(nearestFirst);
  const nearest = sorted.slice(0, Math.max(1, missing));
  const most = nearest.at(-1)?.by.length ?? 0;
  const misses: FieldComparison[] = [];
  for (const test of SMALLEST_CHANGE_FIRST) {
    if (!nearest.some(({ by }) => by.includes(test))) continue;
    const byIt: GpuDevice[] = [];
    for (const { device, by } of sorted) if (by.length <= most && by.includes(test)) byIt.push(device);
    misses.push(missOf(test, group, byIt, Math.min(missing, byIt.length)));
  }
  return misses;
}

function missesOf(
  groups: readonly GpuRequirement[],
  devices: readonly GpuDevice[],
): readonly FieldComparison[] {
  const wanted = groups.reduce((sum, { count }) => sum + count, 0);
  const smallestFirst = groups.length === 1 ? groups : groups.toSorted((a, b) => strictestFirst(b, a));
  const offers = smallestFirst.map((group) => offerTo(group, devices));
  if (wanted > devices.length) {
    const unserved = offers.find(({ keptOut }) => keptOut.length === devices.length);
    return [
      miss('gpu.count', String(wanted), String(devices.length)),
      ...(unserved === undefined ? [] : allMisses({ ...unserved, missing: 1 })),
    ];
  }
  const only = onlyMiss(offers, devices);
  if (only !== undefined) return [only];
  const unserved = offers.filter(({ missing }) => missing > 0);
  return unserved.length > 0
    ? unserved.flatMap(allMisses)
    : [miss('gpu', groups.map(describeGroup).join(', '), describeDevices(devices))];
}

/**
 * One field for each group that is served, or what is in the way: one property where asking less of that alone would
 * do, the count only where there are too few devices whatever they are like.
 */
export function compareDevices(
  groups: readonly GpuRequirement[],
  devices: readonly GpuDevice[],
): readonly FieldComparison[] {
  if (groups.length === 0) return [];
  if (chooseDevices(groups, devices) === undefined) return missesOf(groups, devices);
  const available = describeDevices(devices);
  return groups.map((group) => ({
    field: 'gpu',
    required: describeGroup(group),
    available,
    result: devices.length > group.count ? 'Better' : 'Equal',
    hard: true,
  }));
}
