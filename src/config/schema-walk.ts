import { z } from 'zod';

/** The schema of one key below `schema`, or undefined where there is no such key. `key` may be in any case. */
export function childOf(
  schema: z.core.$ZodType,
  key: string,
): { readonly name: string; readonly schema: z.core.$ZodType } | undefined {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodRecord) return { name: key, schema: inner.valueType };
  if (!(inner instanceof z.ZodObject)) return undefined;
  const shape: Readonly<Record<string, z.core.$ZodType>> = inner.shape;
  const name = Object.keys(shape).find((candidate) => plain(candidate) === plain(key));
  const child = name === undefined ? undefined : shape[name];
  return name === undefined || child === undefined ? undefined : { name, schema: child };
}

/** Every key that has a value of its own, as a path. */
export function leafPaths(schema: z.core.$ZodType): readonly (readonly string[])[] {
  const inner = unwrap(schema);
  if (!(inner instanceof z.ZodObject)) return [[]];
  const shape: Readonly<Record<string, z.core.$ZodType>> = inner.shape;
  return Object.entries(shape).flatMap(([key, child]) => leafPaths(child).map((path) => [key, ...path]));
}

/** Environment variables are in capitals, and some people write OWN_JOBS. */
function plain(key: string): string {
  return key.replaceAll('_', '').toLowerCase();
}

const WRAPPERS = [z.ZodDefault, z.ZodPrefault, z.ZodExactOptional] as const;

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  if (WRAPPERS.some((wrapper) => schema instanceof wrapper)) return unwrap((schema as z.ZodDefault).unwrap());
  return schema;
}
