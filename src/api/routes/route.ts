import { type OpenAPIHono, type RouteConfig, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { fieldReport } from '../../domain/explain/field-words.ts';
import { fieldErrorsOf } from '../field-errors.ts';
import { fieldErrors } from '../problem.ts';

export type App = OpenAPIHono;

/** One route: how it is documented and what it does. `{path}` takes the rest of the address, slashes included. */
export interface Route {
  readonly method: 'get' | 'post';
  readonly path: string;
  readonly summary: string;
  readonly query?: z.ZodObject;
  readonly request?: RouteConfig['request'];
  readonly responses: RouteConfig['responses'];
  readonly handle: (c: Context) => Response | Promise<Response>;
}

const NO_QUERY = z.strictObject({});

/** Registers routes with the router and, from the same schemas, with the OpenAPI document. */
export function addRoutes(app: App, routes: readonly Route[]): void {
  for (const { method, path, summary, query, request, responses, handle } of routes) {
    app.openAPIRegistry.registerPath({
      method,
      path,
      summary,
      request: { ...pathParameters(path), ...(query === undefined ? {} : { query }), ...request },
      responses: {
        ...responses,
        default: { description: 'A problem document (RFC 9457).', content: PROBLEM },
      },
    });
    app[method](path.replace('{path}', ':path{[^]+}').replaceAll(/\{(\w+)\}/g, ':$1'), handle);
  }
}

const PROBLEM = {
  'application/problem+json': {
    schema: z
      .object({
        type: z.string(),
        title: z.string(),
        status: z.number().int(),
        code: z.string(),
        detail: z.string(),
        errors: z.array(z.object({ path: z.string(), code: z.string(), message: z.string() })).optional(),
      })
      .openapi('Problem'),
  },
};

function pathParameters(path: string): { readonly params?: z.ZodObject } {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');
  if (names.length === 0) return {};
  return { params: z.object(Object.fromEntries(names.map((name) => [name, z.string()]))) };
}

/** The query of a request. Throws `INVALID_QUERY`, also for a parameter the route does not know. */
export function queryOf<Schema extends z.ZodObject>(c: Context, schema: Schema): z.output<Schema> {
  const repeated = Object.entries(c.req.queries()).filter(([, values]) => values.length > 1);
  if (repeated.length > 0) {
    throw invalidQuery(
      repeated.map(([path]) => ({ path, code: 'repeated', message: 'is given more than once' })),
    );
  }
  const parsed = schema.safeParse(c.req.query(), fieldReport);
  if (parsed.success) return parsed.data;
  throw invalidQuery(fieldErrorsOf(parsed.error));
}

/** Refuses every query parameter. */
export function noQuery(c: Context): void {
  if (c.req.url.includes('?')) queryOf(c, NO_QUERY);
}

export function invalidQuery(errors: ReturnType<typeof fieldErrorsOf>): Error {
  const named = errors.map(({ path, message }) => `${path}: ${message}`).join('; ');
  return fieldErrors('INVALID_QUERY', `The request parameters were not accepted: ${named}.`, errors);
}

export function parameter(c: Context, name: string): string {
  return c.req.param(name) ?? '';
}

/** An answer in JSON, described. */
export function jsonAnswer(description: string, schema: z.ZodType): RouteConfig['responses'][number] {
  return { description, content: { 'application/json': { schema } } };
}

export function listOf(item: z.ZodType): z.ZodType {
  return z.object({ items: z.array(item), nextCursor: z.string().optional() });
}

/** A whole number in digits alone: no sign, no exponent, no other base. */
export function wholeNumber(least: number, most: number) {
  return z
    .string()
    .regex(/^\d{1,15}$/, 'expected a whole number')
    .transform(Number)
    .pipe(z.number().min(least).max(most))
    .openapi({ type: 'integer', minimum: least, maximum: most });
}

/** `true`, `1` or nothing behind the name is yes. */
export const flag = z
  .enum(['true', 'false', '1', '0', ''])
  .transform((text) => text !== 'false' && text !== '0')
  .default(false);
