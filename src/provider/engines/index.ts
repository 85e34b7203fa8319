import type { TaskDriver } from '../task-driver.ts';
import type { DriverHost } from './driver-host.ts';
import { createPythonDriver } from './python/driver.ts';
import { createWasmDriver } from './wasm/driver.ts';

/** The drivers of this node, one line for each engine; `src/engines/index.ts` has its other half. */
export const driversOfNode: readonly ((host: DriverHost) => TaskDriver)[] = [
  createWasmDriver,
  createPythonDriver,
];
