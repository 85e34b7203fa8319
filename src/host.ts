import type { Host } from './node/base.ts';

/** What this process knows of the machine that it runs on. */
export function thisHost(): Host {
  return {
    nodePath: process.execPath,
    searchPath: process.env['PATH'] ?? '',
    constrainedMemoryBytes: process.constrainedMemory() ?? 0,
  };
}
