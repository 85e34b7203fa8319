import { createSandbox, type SandboxOptions } from '../sandbox/sandbox.ts';
import type { TaskDriver } from '../task-driver.ts';
import { driversOfNode } from './index.ts';

/** A driver of each engine, none of which has looked at the machine yet. */
export function createDrivers(options: SandboxOptions): readonly TaskDriver[] {
  const host = { sandbox: createSandbox(options) };
  return driversOfNode.map((create) => create(host));
}
