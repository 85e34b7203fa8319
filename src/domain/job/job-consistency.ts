import type { z } from 'zod';
import { engineNamed } from '../../engines/registry.ts';
import { amountConflicts } from '../matching/constraint-conflicts.ts';
import { excludesEngine } from '../matching/constraint-values.ts';
import type { plainDescription } from './job-description.ts';
import { bytesThere } from '../matching/field-text.ts';
import { type ProgramBounds, programFaults } from '../program/program-rules.ts';
import { wellFormedProblem } from '../program/program-text.ts';

/** A hundredth of a core. */
const LEAST_CPU_MILLIS = 10;

type PlainJob = z.output<typeof plainDescription>;
type Path = readonly (string | number)[];

/** What one field says against another; what one says alone is checked with it. */
export function consistent(job: PlainJob, context: z.RefinementCtx): void {
  const { resources, constraints, preferredProviders } = job;
  const asked = {
    cpuMillis: resources.cpu,
    memoryBytes: resources.memory,
    gpus: resources.gpus.reduce((sum, { count }) => sum + count, 0),
  };
  for (const { index, message } of amountConflicts(constraints.hard, asked)) {
    context.addIssue({ code: 'custom', path: ['constraints', 'hard', index], message });
  }
  const leastBytes = engineNamed(job.engine.type)?.leastMemoryBytes ?? 0;
  if (resources.memory < leastBytes) {
    const message = `is less than any ${job.engine.type} program needs to start: expected ${bytesThere(leastBytes)} or more`;
    context.addIssue({ code: 'custom', path: ['resources', 'memory'], message });
  }
  if (resources.cpu < LEAST_CPU_MILLIS) {
    const message = `is less than any program gets anywhere with: expected ${LEAST_CPU_MILLIS}m or more`;
    context.addIssue({ code: 'custom', path: ['resources', 'cpu'], message });
  }
  for (const list of ['hard', 'soft'] as const) {
    for (const [index, constraint] of constraints[list].entries()) {
      if (!excludesEngine(constraint, job.engine.type)) continue;
      context.addIssue({
        code: 'custom',
        path: ['constraints', list, index, 'operator'],
        message: `the job runs on ${job.engine.type}: it needs a provider where ${constraint.key} exists`,
      });
    }
  }
  for (const name of ['search', 'lock', 'contract', 'start', 'execution', 'total'] as const) {
    if (job.timeouts[name] !== 0) continue;
    const message = 'is over before anything can happen: expected more than 0';
    context.addIssue({ code: 'custom', path: ['timeouts', name], message });
  }
  const excluded = new Set(job.excludedProviders);
  for (const [index, provider] of preferredProviders.entries()) {
    if (!excluded.has(provider)) continue;
    context.addIssue({
      code: 'custom',
      path: ['preferredProviders', index],
      message: 'is in excludedProviders as well: take it out of one of them',
    });
  }
}

/** Whether the program could be run at all, whoever runs it. */
export function runnable(
  { engine, inputs, outputs }: Pick<PlainJob, 'engine' | 'inputs' | 'outputs'>,
  bounds: ProgramBounds,
  context: z.RefinementCtx,
): void {
  const { args, env, stdin } = engine.params;
  const text = typeof stdin === 'object' && 'text' in stdin ? stdin.text : stdin;
  const faults = programFaults({ engine: engine.type, args, env, stdin: text, inputs, outputs }, bounds);
  for (const { path, message } of faults) {
    context.addIssue({ code: 'custom', path: described(path), message });
  }
}

const OF_THE_ENGINE: ReadonlySet<unknown> = new Set(['args', 'env', 'stdin']);

/** Where a description has what {@link programFaults} names. */
function described(path: Path): (string | number)[] {
  return OF_THE_ENGINE.has(path[0]) ? ['engine', 'params', ...path] : [...path];
}

/** Everything is written down and signed as UTF-8: what that cannot hold would come out as another text. */
export function wellFormed(job: unknown, context: z.RefinementCtx): void {
  const visit = (value: unknown, path: Path): void => {
    if (typeof value === 'string') report(value, path);
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      report(key, [...path, key]);
      visit(inner, [...path, key]);
    }
  };
  const report = (text: string, path: Path): void => {
    const message = wellFormedProblem(text);
    if (message !== undefined) context.addIssue({ code: 'custom', path: [...path], message });
  };
  visit(job, []);
}
