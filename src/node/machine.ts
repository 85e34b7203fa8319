import type { NodeOptions } from '../config/node-options.ts';
import { patient, systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import type { Host, NodeOverrides } from './base.ts';
import { createDrivers } from '../provider/engines/drivers.ts';
import { createToolRunner } from '../provider/processes/tool-runner.ts';
import { createHardwareProbe, type MachineInventory } from '../provider/resources/probe.ts';
import type { Fingerprint, TaskDriver } from '../provider/task-driver.ts';

const PROBE_TIMEOUT_MS = 3000;

/** The machine a provider is on, and what runs programs there. */
export interface Surroundings {
  readonly drivers: readonly TaskDriver[];
  /** Settles when everything was looked at. */
  readonly found: Promise<{
    readonly machine: MachineInventory;
    /** By engine. */
    readonly fingerprints: ReadonlyMap<string, Fingerprint>;
  }>;
}

/**
 * Begins to look at the machine; undefined on a node that only posts jobs. Most of it is waiting for other programs,
 * so the entry begins with it before it loads the rest of the node.
 */
export function lookAround(
  options: NodeOptions,
  host: Host,
  overrides: NodeOverrides = {},
): Surroundings | undefined {
  if (options.provider === undefined) return undefined;
  const clock = overrides.clock ?? systemClock;
  // The rest of the node is being loaded meanwhile, which keeps the process busy for seconds on a slow machine.
  const patience = patient(clock);
  const random = overrides.random ?? systemRandom;
  const drivers =
    overrides.drivers ??
    createDrivers({ ...host, clock, random, useBubblewrap: overrides.useBubblewrap ?? 'auto' });
  const probe = createHardwareProbe({
    clock: patience,
    dataDir: options.dataDir,
    searchPath: host.searchPath,
    runTool: createToolRunner(patience),
    timeoutMs: PROBE_TIMEOUT_MS,
    constrainedMemoryBytes: host.constrainedMemoryBytes,
  });
  const found = Promise.all([
    overrides.machine ?? probe.probe(),
    Promise.all(drivers.map(async (driver) => [driver.engine, await driver.fingerprint()] as const)),
  ]).then(([machine, fingerprints]) => ({ machine, fingerprints: new Map(fingerprints) }));
  // A start that fails before it asks has a reason of its own.
  found.catch(() => {});
  return { drivers, found };
}
