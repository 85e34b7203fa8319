import { isAbsolute } from 'node:path';
import type { ExecutionTask } from './executor.ts';
import { isPlainPath } from './output-collector.ts';
import { MAX_TASK_BYTES } from './sandbox/frames.ts';

const MAX_ITEMS = 1024;
/** JSON may write one byte as six. */
const MAX_TEXT_BYTES = MAX_TASK_BYTES / 8;

/** Why a task cannot be run as it stands, as a sentence; `undefined` where it can. */
export function refuseTask(task: ExecutionTask): string | undefined {
  return refuseTexts(task) ?? refusePaths(task) ?? refuseLimits(task);
}

function refuseTexts({ args, env, stdin, inputs, outputs }: ExecutionTask): string | undefined {
  const names = Object.keys(env);
  const texts = [...args, ...names, ...Object.values(env)];
  if (args.length > MAX_ITEMS || names.length > MAX_ITEMS)
    return 'There are too many arguments or variables.';
  if (inputs.length > MAX_ITEMS || outputs.length > MAX_ITEMS) return 'There are too many inputs or outputs.';
  if (texts.some((text) => text.includes('\0'))) return 'An argument or variable contains a NUL character.';
  if (names.some((name) => name === '' || name.includes('='))) return 'A variable has an invalid name.';
  const inline = typeof stdin === 'string' ? stdin : '';
  const total = [...texts, inline].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (typeof stdin !== 'string' && !isAbsolute(stdin.hostPath))
    return 'The standard input has no absolute path on this machine.';
  if (total > MAX_TEXT_BYTES) return 'Arguments, variables and standard input are too long together.';
  return undefined;
}

function refusePaths({ inputs, outputs, engine }: ExecutionTask): string | undefined {
  const targets = inputs.map(({ target }) => target);
  const folders = outputs.map(({ path }) => path);
  const all = [...targets, ...folders];
  const odd = all.find((path) => !path.startsWith('/') || !isPlainPath(path.slice(1)));
  if (odd !== undefined) return `The path ${JSON.stringify(odd)} is not a plain absolute path.`;
  const relative = inputs.find(({ hostPath }) => !isAbsolute(hostPath));
  if (relative !== undefined) return 'An input has no absolute path on this machine.';
  if (new Set(all).size !== all.length) return 'Two inputs or outputs have the same path.';
  if (new Set(outputs.map(({ name }) => name)).size !== outputs.length)
    return 'Two outputs have the same name.';
  const below = all.find((path) => targets.some((target) => path.startsWith(`${target}/`)));
  if (below !== undefined) return `The path ${JSON.stringify(below)} is below an input.`;
  if (engine === 'python' && all.some((path) => path === '/job' || path.startsWith('/job/'))) {
    return 'The folder /job holds the script.';
  }
  return undefined;
}

function refuseLimits({ limits }: ExecutionTask): string | undefined {
  const values = [limits.wallClockMs, limits.memoryBytes, limits.outputBytes, limits.outputFiles];
  return values.every((value) => Number.isSafeInteger(value) && value >= 0)
    ? undefined
    : 'A limit is not a whole number.';
}
