import type { FieldComparison } from './comparison.ts';
import {
  chooseDevices,
  DEVICE_TESTS,
  type DeviceTest,
  fitsGroup,
  strictestFirst,
} from './device-matching.ts';
import { bytesThere, clippedText } from './field-text.ts';
import type { GpuDevice, GpuRequirement } from './resources.ts';

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
    test.field === 'gpu.vram'
      ? devices.toSorted((a, b) => b.vramBytes - a.vramBytes).slice(Math.max(0, missing - 1))
      : devices;
  const texts = new Set(keptOut.map((device) => test.available(device, group)));
  return miss(test.field, test.required(group) ?? '', [...texts].join(', '));
}

/** The one property of one group without which devices could be chosen for all of them. */
function onlyMiss(
  groups: readonly GpuRequirement[],
  devices: readonly GpuDevice[],
): FieldComparison | undefined {
  for (const group of groups.toSorted((a, b) => strictestFirst(b, a))) {
    const fitting = devices.filter((device) => fitsGroup(group, device));
    for (const test of SMALLEST_CHANGE_FIRST) {
      if (test.required(group) === undefined) continue;
      const relaxed = groups.map((other) => (other === group ? test.relaxed(group) : other));
      if (chooseDevices(relaxed, devices) === undefined) continue;
      const keptOut = devices.filter(
        (device) => !test.passes(group, device) && fitsGroup(group, device, test),
      );
      if (keptOut.length > 0) return missOf(test, group, keptOut, group.count - fitting.length);
    }
  }
  return undefined;
}

/** Every property that keeps out the devices that come nearest to what a group asks for. */
function allMisses(group: GpuRequirement, devices: readonly GpuDevice[]): readonly FieldComparison[] {
  const failing = devices
    .map((device) => ({ device, tests: DEVICE_TESTS.filter((test) => !test.passes(group, device)) }))
    .filter(({ tests }) => tests.length > 0)
    .toSorted((a, b) => a.tests.length - b.tests.length);
  const missing = Math.max(1, group.count - (devices.length - failing.length));
  const nearest = failing.slice(0, missing);
  return SMALLEST_CHANGE_FIRST.flatMap((test) => {
    const keptOut = nearest.flatMap(({ device, tests }) => (tests.includes(test) ? [device] : []));
    return keptOut.length === 0 ? [] : [missOf(test, group, keptOut, keptOut.length)];
  });
}

function missesOf(
  groups: readonly GpuRequirement[],
  devices: readonly GpuDevice[],
): readonly FieldComparison[] {
  const wanted = groups.reduce((sum, { count }) => sum + count, 0);
  if (wanted > devices.length) {
    const unserved = groups.find((group) => !devices.some((device) => fitsGroup(group, device)));
    return [
      miss('gpu.count', String(wanted), String(devices.length)),
      ...(unserved === undefined ? [] : allMisses({ ...unserved, count: 1 }, devices)),
    ];
  }
  const only = onlyMiss(groups, devices);
  if (only !== undefined) return [only];
  const alone = groups.filter((group) => chooseDevices([group], devices) === undefined);
  return alone.length > 0
    ? alone.flatMap((group) => allMisses(group, devices))
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
