import { z } from 'zod';
import { jobLimits } from '../domain/job/job-limits.ts';
import type { Engine } from '../engines/engine.ts';
import { engines } from '../engines/index.ts';
import { assert } from '../lib/assert.ts';
import type { Invocation } from '../domain/program/task.ts';
import { contentIdOf, encodeCanonical } from '../lib/canonical.ts';
import { contentId, count } from './field-schemas.ts';

const contentRef = z.strictObject({ cid: contentId, size: count });
const path = z.string().min(1).max(jobLimits.pathLength);
const program = {
  args: z.array(z.string().max(jobLimits.argLength)).max(jobLimits.args),
  env: z
    .record(z.string().max(jobLimits.nameLength), z.string().max(jobLimits.envLength))
    .refine((env) => Object.keys(env).length <= jobLimits.envVariables, 'too many variables'),
  stdin: z.union([z.string().max(jobLimits.stdinLength), contentRef]),
};

/** An invocation is sent to a node that said it has the engine, so one that is unknown here is a mistake. */
function engineSchemaOf({ type, content, params }: Engine) {
  const contents = Object.keys(content).map((name) => [name, contentRef] as const);
  return z.strictObject({ type: z.literal(type), ...Object.fromEntries(contents), ...params, ...program });
}

const [first, ...rest] = engines.map(engineSchemaOf);
assert(first !== undefined, 'there is no engine');

export const invocationSchema: z.ZodType<Invocation> = z.strictObject({
  engine: z.discriminatedUnion('type', [first, ...rest]),
  inputs: z.array(z.strictObject({ target: path, content: contentRef })).max(jobLimits.inputs),
  outputs: z.array(z.strictObject({ name: z.string().min(1).max(64), path })).max(jobLimits.outputs),
  partition: count,
  partitionCount: count,
});

/** What contract terms name an invocation by. */
export function invocationDigestOf(invocation: Invocation): string {
  return contentIdOf(encodeCanonical(invocation));
}
