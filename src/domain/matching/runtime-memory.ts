import type { Requirements } from './requirements.ts';
import type { NodeTraits } from './capability.ts';
import type { ResourceRequirements } from '../units/resources.ts';

/** By engine: what the process that runs a program takes beside the program's own memory. */
export type RuntimeMemory = Readonly<Record<string, number>>;

/** What a program takes on a machine beside its own memory; nothing where the machine books nothing for it. */
export function runtimeMemoryOf(
  { engine }: Pick<Requirements, 'engine'>,
  { runtimeMemory }: Pick<NodeTraits, 'runtimeMemory'>,
): number {
  return runtimeMemory !== undefined && Object.hasOwn(runtimeMemory, engine.type)
    ? (runtimeMemory[engine.type] ?? 0)
    : 0;
}

/** What a machine sets aside for a job: what the job asks for, and what running it takes there. */
export function bookedResources(
  requirements: Pick<Requirements, 'engine' | 'resources'>,
  traits: Pick<NodeTraits, 'runtimeMemory'>,
): ResourceRequirements {
  const { resources } = requirements;
  return { ...resources, memoryBytes: resources.memoryBytes + runtimeMemoryOf(requirements, traits) };
}
