import type { z } from 'zod';
import type { Operation } from '../../openapi/operation.ts';
import { type Json, schemaOf } from './schemas.ts';

const IN_PATHS: Readonly<Record<string, string>> = {
  id: 'The id of a job.',
  cid: 'A content id (CIDv1).',
  path: 'The path of a file in a result, with slashes.',
};

export function parametersOf({ path, query, headers }: Operation): readonly Json[] {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');
  return [
    ...names.map((name) => ({
      name,
      in: 'path',
      required: true,
      description: IN_PATHS[name],
      schema: { type: 'string' },
    })),
    ...membersOf('query', query),
    ...membersOf('header', headers),
  ];
}

function membersOf(place: 'query' | 'header', members: z.ZodObject | undefined): readonly Json[] {
  return Object.entries<z.ZodType>(members?.shape ?? {}).map(([name, member]) => {
    const { description, ...schema } = schemaOf(member);
    return { name, in: place, ...(description === undefined ? {} : { description }), schema };
  });
}
