import { z } from 'zod';
import { readDocument } from '../lib/documents/read-document.ts';
import type { Layer } from './layers.ts';
import { childOf } from './schema-walk.ts';

const PREFIX = 'BIDMESH__';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * `BIDMESH__A__B=text` as the value of a.b. Text is taken as it is where the key wants text; else it is read as YAML,
 * and for a list also as items with commas between. A key that is not known keeps its name, so that it is refused.
 */
export function readEnvironment(schema: z.core.$ZodType, env: Environment): readonly Layer[] {
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX))
    .sort()
    .flatMap((name) => {
      const text = env[name];
      if (text === undefined) return [];
      const { path, leaf } = resolve(schema, name.slice(PREFIX.length).split('__'));
      const value = leaf === undefined ? text : valueFor(leaf, text);
      return [{ source: `environment variable ${name}`, path, value }];
    });
}

function resolve(
  schema: z.core.$ZodType,
  keys: readonly string[],
): { readonly path: readonly string[]; readonly leaf: z.core.$ZodType | undefined } {
  const path: string[] = [];
  let leaf: z.core.$ZodType | undefined = schema;
  for (const key of keys) {
    const child: ReturnType<typeof childOf> = leaf === undefined ? undefined : childOf(leaf, key);
    path.push(child?.name ?? key);
    leaf = child?.schema;
  }
  return { path, leaf };
}

function valueFor(leaf: z.core.$ZodType, text: string): unknown {
  const items = text.split(',').map((item) => item.trim());
  const list = items.filter((item) => item !== '');
  // Nothing is what YAML calls null; who leaves a variable empty, a token above all, has not said "none" by it.
  const readings = text.trim() === '' ? [text, list] : [text, ...yamlValues(text), list];
  const fitting = readings.findIndex((reading) => z.safeParse(leaf, reading).success);
  return fitting < 0 ? text : readings[fitting];
}

/** What is no YAML is text, as far as its key takes text; it is not "nothing given", which every key takes. */
function yamlValues(text: string): readonly unknown[] {
  try {
    return [readDocument(Buffer.from(text), 'yaml').value];
  } catch {
    return [];
  }
}
