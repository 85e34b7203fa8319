import { arch, availableParallelism, cpus, totalmem } from 'node:os';
import { cpu, fsSize } from 'systeminformation';
import { type Clock, within } from '../../lib/clock.ts';

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

interface Mount {
  readonly mount: string;
  readonly available: number;
}

/** The mount that holds `path`: the one with the longest path above it. */
export function mountOf<T extends Mount>(mounts: readonly T[], path: string): T | undefined {
  const holds = (mount: string): boolean =>
    path === mount || path.startsWith(mount.endsWith('/') ? mount : `${mount}/`);
  return mounts
    .filter(({ mount }) => holds(mount))
    .reduce<T | undefined>((best, next) => {
      return best === undefined || next.mount.length > best.mount.length ? next : best;
    }, undefined);
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
  const [processor, mounts] = await Promise.all([
    within(clock, timeoutMs, cpu(), nothing).catch(nothing),
    within(clock, timeoutMs, fsSize(), nothing).catch(nothing),
  ]);
  const disk = mounts === undefined ? undefined : mountOf(mounts, dataDir)?.available;
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
