/** One physical accelerator. A lock names the very devices, so two jobs never share one by accident. */
export interface GpuDevice {
  readonly index: number;
  /** `nvidia`, `amd`, `intel` or `unknown`; other nodes may know further ones. */
  readonly vendor: string;
  readonly model: string;
  readonly vramBytes: number;
  readonly driver?: string;
  readonly computeCapability?: string;
  readonly uuid?: string;
}

/** An amount of a machine: all of it, what is offered, what is free, or what a lease holds. */
export interface Resources {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly gpus: readonly GpuDevice[];
}

/** What one group of wanted devices must be like; every named property must hold for each of `count` devices. */
export interface GpuRequirement {
  readonly count: number;
  readonly vendor?: string;
  readonly model?: string;
  readonly vramBytes?: number;
  /** Semver range over the driver version. */
  readonly driver?: string;
  /** Semver range over the compute capability. */
  readonly computeCapability?: string;
}

export interface ResourceRequirements {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly gpus: readonly GpuRequirement[];
}

export const NO_RESOURCES: Resources = { cpuMillis: 0, memoryBytes: 0, diskBytes: 0, gpus: [] };

export function addResources(a: Resources, b: Resources): Resources {
  return {
    cpuMillis: a.cpuMillis + b.cpuMillis,
    memoryBytes: a.memoryBytes + b.memoryBytes,
    diskBytes: a.diskBytes + b.diskBytes,
    gpus: [...a.gpus, ...b.gpus],
  };
}

/** `a` without `b`; amounts never fall below zero, devices are taken away by index. */
export function subtractResources(a: Resources, b: Resources): Resources {
  const taken = new Set(b.gpus.map((gpu) => gpu.index));
  return {
    cpuMillis: Math.max(0, a.cpuMillis - b.cpuMillis),
    memoryBytes: Math.max(0, a.memoryBytes - b.memoryBytes),
    diskBytes: Math.max(0, a.diskBytes - b.diskBytes),
    gpus: a.gpus.filter((gpu) => !taken.has(gpu.index)),
  };
}

/** True when `part` is wholly inside `whole`, device by device. */
export function coversResources(whole: Resources, part: Resources): boolean {
  const present = new Set(whole.gpus.map((gpu) => gpu.index));
  return (
    part.cpuMillis <= whole.cpuMillis &&
    part.memoryBytes <= whole.memoryBytes &&
    part.diskBytes <= whole.diskBytes &&
    new Set(part.gpus.map((gpu) => gpu.index)).size === part.gpus.length &&
    part.gpus.every((gpu) => present.has(gpu.index))
  );
}
