import { statfs } from 'node:fs/promises';
import { arch, availableParallelism, cpus, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { cpu } from 'systeminformation';
import { type Clock, within } from '../../lib/clock.ts';
import { codeOf } from '../../lib/coded-error.ts';
import type { DiskGauge } from '../ports.ts';

/** What the operating system says about this machine. */
export interface SystemFacts {
  readonly cpu: {
    readonly cores: number;
    readonly arch: string;
    readonly model: string;
    readonly vendor: string;
  };
  readonly memoryBytes: number;
  /** Free space where the data folder is, now. */
  readonly diskBytes: number;
  readonly notes: readonly string[];
}

const VENDORS: readonly (readonly [RegExp, string])[] = [
  [/intel/i, 'intel'],
  [/amd/i, 'amd'],
  [/apple/i, 'apple'],
  [/ampere/i, 'ampere'],
  [/\barm\b/i, 'arm'],
];

/** The short lower-case name that constraints compare with; unknown makers keep their own name. */
export function cpuVendor(name: string): string {
  return VENDORS.find(([pattern]) => pattern.test(name))?.[1] ?? name.trim().toLowerCase();
}

/** What may still be written where `folder` is, or will be. */
export function createDiskGauge(folder: string): DiskGauge {
  return { freeBytes: () => freeBytes(folder) };
}

/** What this user may still write where `folder` is, or will be. */
async function freeBytes(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (error) {
    const parent = dirname(folder);
    if (codeOf(error) !== 'ENOENT' || parent === folder) throw error;
    return await freeBytes(parent);
  }
}

/**
 * Settles within `timeoutMs`; what could not be learned in time is taken from the runtime or left at zero, with a note.
 * Cores are those this process may use, so a container's share counts.
 */
export async function readSystemFacts(
  clock: Clock,
  dataDir: string,
  timeoutMs: number,
): Promise<SystemFacts> {
  const nothing = (): undefined => undefined;
  const [processor, disk] = await Promise.all([
    within(clock, timeoutMs, cpu(), nothing).catch(nothing),
    within(clock, timeoutMs, freeBytes(dataDir), nothing).catch(nothing),
  ]);
  const named = `${processor?.manufacturer ?? ''} ${processor?.brand ?? ''}`.trim();
  return {
    cpu: {
      cores: availableParallelism(),
      arch: arch(),
      model: named === '' ? (cpus()[0]?.model ?? 'unknown') : named,
      vendor: cpuVendor(processor?.vendor ?? cpus()[0]?.model ?? 'unknown'),
    },
    memoryBytes: totalmem(),
    diskBytes: disk ?? 0,
    notes: [
      ...(processor === undefined ? ['The processor did not say its model in time.'] : []),
      ...(disk === undefined
        ? ['The free disk space of the data folder is unknown, so none is offered.']
        : []),
    ],
  };
}
