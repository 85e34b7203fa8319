import { z } from 'zod';
import type { Engine } from '../../engines/engine.ts';
import { engines } from '../../engines/index.ts';
import { assert } from '../../lib/assert.ts';
import type { Env } from '../program/task.ts';
import { type ContentSource, contentSource, standardInput } from './content-source.ts';
import { jobLimits } from './job-limits.ts';

/** What every program is given, whichever engine runs it. */
const programShape = {
  args: z.array(z.string().max(jobLimits.argLength)).max(jobLimits.args).default([]),
  env: z
    .record(
      z
        .string()
        .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected letters, digits and underscores, and no digit first')
        .max(128),
      z.string().max(jobLimits.envLength),
    )
    .refine((env) => Object.keys(env).length <= jobLimits.envVariables, 'too many variables')
    .default({}),
  stdin: standardInput.default(''),
};

/** The engine of a description: beside what all have, its own params by name, as its engine says they are. */
export interface EngineParams {
  readonly type: string;
  readonly params: {
    readonly args: readonly string[];
    readonly env: Env;
    readonly stdin: string | ContentSource;
    readonly [param: string]: unknown;
  };
}

function schemaOf({ type, content, params }: Engine) {
  const contents = Object.entries(content).map(
    ([name, { inline }]) => [name, contentSource([inline])] as const,
  );
  return z.strictObject({
    type: z.literal(type),
    params: z.strictObject({ ...Object.fromEntries(contents), ...params, ...programShape }),
  });
}

const [first, ...rest] = engines.map(schemaOf);
assert(first !== undefined, 'there is no engine');

/** One of the engines of this version. */
export const engineParams: z.ZodType<EngineParams> = z.discriminatedUnion('type', [first, ...rest]);
