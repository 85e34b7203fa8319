import { z } from 'zod';
import { jobDescription } from '../../domain/job/job-description.ts';
import { named, namedShapes } from '../../openapi/named.ts';

export type Json = Readonly<Record<string, unknown>>;

export const JOB_DESCRIPTION = 'JobDescription';
named(JOB_DESCRIPTION, jobDescription);

/** What is sent is documented, so defaults are not demanded and more members than these may come. */
const OF_WHAT_IS_SENT = { io: 'input', unrepresentable: 'any', override: withoutNoise } as const;

/** The schemas of all shapes that have a name. */
export function namedSchemas(): Json {
  const { schemas } = z.toJSONSchema(namedShapes, { ...OF_WHAT_IS_SENT, uri: pointerTo });
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, plain(schema)]));
}

export function referenceTo(shape: z.ZodType): Json {
  const id = namedShapes.get(shape)?.id;
  return id === undefined ? schemaOf(shape) : { $ref: pointerTo(id) };
}

/** The schema of a shape without a name. */
export function schemaOf(shape: z.ZodType): Json {
  return plain(z.toJSONSchema(shape, OF_WHAT_IS_SENT));
}

export function pointerTo(name: string): string {
  return `#/components/schemas/${name}`;
}

function plain(schema: Json): Json {
  const { $schema: _dialect, $id: _id, ...rest } = schema;
  return rest;
}

/** Patterns that say what a format says already, and bounds that every number has. */
function withoutNoise({ jsonSchema }: { readonly jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  const { type, format, contentEncoding, maximum, minimum } = jsonSchema;
  if (type === 'integer' || format === 'date-time' || contentEncoding === 'base64') delete jsonSchema.pattern;
  if (maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
}
