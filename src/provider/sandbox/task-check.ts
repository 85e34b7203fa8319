import { isAbsolute } from 'node:path';
import { jobLimits } from '../../domain/job/job-limits.ts';
import { programFaults } from '../../domain/program/program-rules.ts';
import type { Task } from '../task-driver.ts';
import { MAX_TASK_BYTES } from './child/frames.ts';

const MAX_ITEMS = 1024;
/** JSON may write one byte as six. The node's own variables come on top of what a program may have. */
const MAX_TEXT_BYTES = MAX_TASK_BYTES / 8;

/** Why a task cannot be run as it stands, as a sentence; `undefined` where it can. */
export function refuseTask(engine: string, task: Task): string | undefined {
  return refuseCounts(task) ?? refuseProgram(engine, task) ?? refuseHostPaths(task) ?? refuseLimits(task);
}

function refuseCounts({ args, env, inputs, outputs }: Task): string | undefined {
  if (args.length > MAX_ITEMS || Object.keys(env).length > MAX_ITEMS)
    return 'There are too many arguments or variables.';
  if (inputs.length > MAX_ITEMS || outputs.length > MAX_ITEMS) return 'There are too many inputs or outputs.';
  return undefined;
}

function refuseProgram(engine: string, task: Task): string | undefined {
  const [fault] = programFaults({ engine, ...task }, { ...jobLimits, programBytes: MAX_TEXT_BYTES });
  return fault === undefined ? undefined : `${fault.path.join('.')}: ${fault.message}.`;
}

function refuseHostPaths({ inputs, stdin }: Task): string | undefined {
  if (typeof stdin !== 'string' && !isAbsolute(stdin.hostPath))
    return 'The standard input has no absolute path on this machine.';
  return inputs.every(({ hostPath }) => isAbsolute(hostPath))
    ? undefined
    : 'An input has no absolute path on this machine.';
}

function refuseLimits({ limits }: Task): string | undefined {
  const values = [limits.wallClockMs, limits.memoryBytes, limits.outputBytes, limits.outputFiles];
  return values.every((value) => Number.isSafeInteger(value) && value >= 0)
    ? undefined
    : 'A limit is not a whole number.';
}
