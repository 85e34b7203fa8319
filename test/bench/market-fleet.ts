import type { ResourceRequirements, Resources } from '../../src/domain/units/resources.ts';
import type { SeededRandom } from '../simulation/seeded-random.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

export type Fleet = 'identical' | 'mixed';

/** Machines of one fleet: all alike, or of many sizes with devices in few of them. */
export function machineOf(fleet: Fleet, random: SeededRandom, index: number): Resources {
  if (fleet === 'identical')
    return { cpuMillis: 16_000, memoryBytes: 64 * GIB, diskBytes: 500 * GIB, gpus: [] };
  const cores = 2 ** random.integer(1, 6);
  const memoryGib = cores * random.integer(1, 8);
  const devices = index % 25 === 0 ? random.integer(1, 4) : 0;
  const big = index % 50 === 0;
  return {
    cpuMillis: cores * 1000,
    memoryBytes: memoryGib * GIB,
    diskBytes: random.integer(50, 2000) * GIB,
    gpus: Array.from({ length: devices }, (_, gpu) => ({
      index: gpu,
      vendor: 'nvidia' as const,
      model: big ? 'NVIDIA A100-SXM4-80GB' : 'NVIDIA GeForce RTX 4090',
      vramBytes: (big ? 80 : 24) * GIB,
      driver: '550.54.14',
      computeCapability: big ? '8.0' : '8.9',
    })),
  };
}

function job(cpuMillis: number, memoryMib: number, diskGib: number, vramGib?: number): ResourceRequirements {
  return {
    cpuMillis,
    memoryBytes: memoryMib * MIB,
    diskBytes: diskGib * GIB,
    gpus: vramGib === undefined ? [] : [{ count: 1, vendor: 'nvidia', vramBytes: vramGib * GIB }],
  };
}

const SMALL_JOB = job(500, 256, 1);

/** Jobs that all can take, jobs for few, and jobs for devices that one machine in 25 or in 50 has. */
const MIXED_JOBS: readonly ResourceRequirements[] = [
  SMALL_JOB,
  job(4000, 8192, 10),
  job(16_000, 131_072, 20),
  job(1000, 1024, 1, 16),
  job(1000, 1024, 1, 40),
];

/** What the nth job of a fleet asks for. */
export function resourcesOfJob(fleet: Fleet, index: number): ResourceRequirements {
  return fleet === 'identical' ? SMALL_JOB : (MIXED_JOBS[index % MIXED_JOBS.length] ?? SMALL_JOB);
}

/** The same as a job description says it. */
export function described({ cpuMillis, memoryBytes, diskBytes, gpus }: ResourceRequirements): unknown {
  return {
    cpu: `${cpuMillis}m`,
    memory: `${memoryBytes / MIB}MiB`,
    disk: `${diskBytes / MIB}MiB`,
    gpus: gpus.map(({ count, vendor, vramBytes = 0 }) => ({ count, vendor, vram: `${vramBytes / MIB}MiB` })),
  };
}
