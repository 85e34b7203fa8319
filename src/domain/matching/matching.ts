import type { Requirements } from './requirements.ts';
import type { AvailableCapability } from './capability.ts';
import type { CapabilityComparison, FieldComparison, Standing } from './comparison.ts';
import { compareConstraint } from './constraint-matching.ts';
import type { SoftConstraint } from './constraint.ts';
import { compareDevices } from './device-comparison.ts';
import { chooseDevices } from './device-matching.ts';
import { bytesAsked, bytesThere, clippedText } from './field-text.ts';
import type { ResourceRequirements, Resources } from '../units/resources.ts';
import { runtimeMemoryOf } from './runtime-memory.ts';

export { chooseDevices } from './device-matching.ts';

const FULL_SCORE = 1000;

function standingOf(required: number, available: number): Standing {
  if (available === required) return 'Equal';
  return available > required ? 'Better' : 'Worse';
}

function compareCpu(required: number, available: number): FieldComparison {
  return {
    field: 'cpu',
    required: `${required}m`,
    available: `${available}m`,
    result: standingOf(required, available),
    hard: true,
  };
}

function compareBytes(field: string, required: number, available: number): FieldComparison {
  return {
    field,
    required: bytesAsked(required),
    available: bytesThere(available, required),
    result: standingOf(required, available),
    hard: true,
  };
}

function compareEngine(type: string, engines: Readonly<Record<string, string>>): FieldComparison {
  const version = Object.hasOwn(engines, type) ? engines[type] : undefined;
  return {
    field: `engine.${type}`,
    required: type,
    available: clippedText(version ?? 'none'),
    result: version === undefined ? 'Error' : 'Equal',
    hard: true,
  };
}

function isMet(field: FieldComparison): boolean {
  return field.result === 'Equal' || field.result === 'Better';
}

/** Thousandths of the soft weights that are met, rounded down. */
function softScoreOf(soft: readonly SoftConstraint[], fields: readonly FieldComparison[]): number {
  if (soft.length === 0) return FULL_SCORE;
  let total = 0;
  let met = 0;
  for (const [at, constraint] of soft.entries()) {
    const field = fields[at];
    total += constraint.weight;
    if (field !== undefined && isMet(field)) met += constraint.weight;
  }
  return total === 0 ? FULL_SCORE : Math.floor((FULL_SCORE * met) / total);
}

/**
 * Running a program takes memory beside its own. A bid tells how much that is, and a job is told what is left for the
 * program, so that what comes nearest is what it can ask for.
 */
function compareMemory(requirements: Requirements, { free, traits }: AvailableCapability): FieldComparison[] {
  const runtimeBytes = runtimeMemoryOf(requirements, traits);
  const left = Math.max(0, free.memoryBytes - runtimeBytes);
  const memory = compareBytes('memory', requirements.resources.memoryBytes, left);
  if (runtimeBytes === 0) return [memory];
  return [memory, compareBytes('memory.runtime', runtimeBytes, Math.min(free.memoryBytes, runtimeBytes))];
}

/** What is required against what is free, field by field: engine, amounts, devices, hard constraints, soft ones. */
export function compare(requirements: Requirements, available: AvailableCapability): CapabilityComparison {
  const { resources, constraints } = requirements;
  const { free, traits } = available;
  const hard = [
    compareEngine(requirements.engine.type, traits.engines),
    compareCpu(resources.cpuMillis, free.cpuMillis),
    ...compareMemory(requirements, available),
    compareBytes('disk', resources.diskBytes, free.diskBytes),
    ...compareDevices(resources.gpus, free.gpus),
    ...constraints.hard.map((constraint) => compareConstraint(constraint, available, true)),
  ];
  const soft = constraints.soft.map((constraint) =>
    compareConstraint(constraint, available, false, constraint.weight),
  );
  return {
    fields: [...hard, ...soft],
    hardOk: hard.every(isMet),
    softScore: softScoreOf(constraints.soft, soft),
  };
}

/** The first hard field that is not met: the one a refusal names. */
export function nearestMiss(comparison: CapabilityComparison): FieldComparison | undefined {
  return comparison.fields.find((field) => field.hard && !isMet(field));
}

/** The very amounts and devices a lease for `requirements` would hold, or undefined when they are not all free. */
export function grant(requirements: ResourceRequirements, free: Resources): Resources | undefined {
  const { cpuMillis, memoryBytes, diskBytes } = requirements;
  if (cpuMillis > free.cpuMillis || memoryBytes > free.memoryBytes || diskBytes > free.diskBytes) {
    return undefined;
  }
  const gpus = chooseDevices(requirements.gpus, free.gpus);
  return gpus === undefined ? undefined : { cpuMillis, memoryBytes, diskBytes, gpus };
}
