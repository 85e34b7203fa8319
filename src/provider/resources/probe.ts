import type { NodeTraits } from '../../domain/matching/capability.ts';
import type { GpuDevice, Resources } from '../../domain/units/resources.ts';
import type { Clock } from '../../lib/clock.ts';
import type { RunTool } from '../processes/tool-runner.ts';
import { readAmdGpus } from './gpu-amd.ts';
import { readNvidiaGpus } from './gpu-nvidia.ts';
import { readSystemFacts, type SystemFacts } from './system.ts';

/** What this machine has, all of it, whatever of it is offered later. */
export interface MachineInventory {
  readonly resources: Resources;
  readonly cpu: NodeTraits['cpu'];
  /** Sentences for people: what could not be learned, and why. */
  readonly notes: readonly string[];
}

/** Looks at the machine. Never rejects for something a tool did, and settles within a small multiple of its time limit. */
export interface HardwareProbe {
  probe(): Promise<MachineInventory>;
}

export interface HardwareProbeOptions {
  readonly clock: Clock;
  /** Absolute. Disk is the free space of the mount it is on; it need not exist yet. */
  readonly dataDir: string;
  /** PATH: where the vendors' tools are looked for. */
  readonly searchPath: string;
  readonly runTool: RunTool;
  /** For each tool and each system call. */
  readonly timeoutMs: number;
  /** The memory this process may use, where something smaller than the machine is set; zero is none set. */
  readonly constrainedMemoryBytes?: number;
}

const TOOL_OUTPUT_BYTES = 64 * 1024;
const MILLIS_PER_CORE = 1000;

export function createHardwareProbe(options: HardwareProbeOptions): HardwareProbe {
  const limits = {
    searchPath: options.searchPath,
    timeoutMs: options.timeoutMs,
    outputBytes: TOOL_OUTPUT_BYTES,
  };
  return {
    async probe() {
      const [system, nvidia, amd] = await Promise.all([
        readSystemFacts(options.clock, options.dataDir, options.timeoutMs),
        readNvidiaGpus(options.runTool, limits),
        readAmdGpus(options.runTool, limits),
      ]);
      return {
        resources: {
          cpuMillis: system.cpu.cores * MILLIS_PER_CORE,
          memoryBytes: usableMemory(system, options.constrainedMemoryBytes),
          diskBytes: system.diskBytes,
          gpus: numberDevices(nvidia.devices, amd.devices),
        },
        cpu: system.cpu,
        notes: [...system.notes, ...nvidia.notes, ...amd.notes],
      };
    },
  };
}

function usableMemory(system: SystemFacts, constrainedBytes = 0): number {
  return constrainedBytes > 0 ? Math.min(system.memoryBytes, constrainedBytes) : system.memoryBytes;
}

/** Each tool counts from zero; on a machine with both makers the second one's devices go on after the first one's. */
function numberDevices(first: readonly GpuDevice[], second: readonly GpuDevice[]): GpuDevice[] {
  const offset = first.reduce((next, device) => Math.max(next, device.index + 1), 0);
  return [...first, ...second.map((device) => ({ ...device, index: device.index + offset }))];
}
