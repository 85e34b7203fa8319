import type { Context, Hono } from 'hono';
import { z } from 'zod';
import { fieldReport } from '../../domain/explain/field-words.ts';
import type { Operation } from '../../openapi/operation.ts';
import { fieldErrorsOf } from '../field-errors.ts';
import { fieldErrors } from '../problem.ts';

export type App = Hono;

/** One route: what is asked, and what is done about it. */
export interface Route {
  readonly operation: Operation;
  readonly handle: (c: Context) => Response | Promise<Response>;
}

const NO_QUERY = z.strictObject({});

export function addRoutes(app: App, routes: readonly Route[]): void {
  for (const { operation, handle } of routes) {
    const path = operation.path.replace('{path}', ':path{[^]+}').replaceAll(/\{(\w+)\}/g, ':$1');
    app[operation.method](path, handle);
  }
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
