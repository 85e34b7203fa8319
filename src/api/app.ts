import { hash } from 'node:crypto';
import { type Context, Hono } from 'hono';
import { CodedError, codeOf, messageOf } from '../lib/coded-error.ts';
import { createAccessCheck } from './access.ts';
import type { RouteContext } from './needs.ts';
import { openApiDocument } from './openapi/document.ts';
import { PROBLEM_TYPE, problemOf } from './problem.ts';
import { dmsRoutes } from './routes/dms-routes.ts';
import { eventRoutes } from './routes/event-routes.ts';
import { healthRoutes } from './routes/health-routes.ts';
import { jobRoutes } from './routes/job-routes.ts';
import { outputRoutes } from './routes/output-routes.ts';
import { type App, addRoutes } from './routes/route.ts';

/** Refusals that say how much is asked at once, and nothing of the node. */
const BUSY: ReadonlySet<string | undefined> = new Set([
  'BODIES_FULL',
  'READER_BUSY',
  'TOO_MANY_STREAMS',
  'TOO_MANY_WATCHERS',
]);

export const RETRY_AFTER_SECONDS = '1';

/** All routes behind one access check and one translator of errors. Throws where the access would be open to all. */
export function createApp(context: RouteContext): App {
  const app = new Hono();
  const checkAccess = createAccessCheck(context.options);
  app.use(async (c, next) => {
    checkAccess({
      path: c.req.path,
      host: c.req.header('host'),
      origin: c.req.header('origin'),
      fetchSite: c.req.header('sec-fetch-site'),
      authorization: c.req.header('authorization'),
    });
    await next();
  });
  for (const routes of [jobRoutes, eventRoutes, outputRoutes, dmsRoutes, healthRoutes]) {
    addRoutes(app, routes(context));
  }
  app.get('/openapi.json', openApiRoute());
  app.notFound((c) =>
    answer(
      c,
      new CodedError(
        'ROUTE_NOT_FOUND',
        `There is no ${c.req.method} ${c.req.path.slice(0, 256)}. GET /openapi.json lists the routes.`,
      ),
    ),
  );
  app.onError((error, c) => {
    if (hasLeft(c, error)) {
      context.counters.count('api.aborted');
      context.logger.debug('client left', { route: `${c.req.method} ${c.req.path}` });
      return answer(c, new CodedError('REQUEST_ABORTED', 'The client left in the middle of its request.'));
    }
    const response = answer(c, error);
    if (BUSY.has(codeOf(error))) {
      // Whoever asks for more than there is room for must not fill the log with it.
      context.counters.count('api.busy');
    } else if (response.status >= 500) {
      const route = `${c.req.method} ${c.req.path}`;
      context.logger.error('request failed', { route, status: response.status, reason: messageOf(error) });
    }
    return response;
  });
  return app;
}

/** The document is the same for as long as the process lives: it is made when it is first asked for, and kept as bytes. */
function openApiRoute(): (c: Context) => Promise<Response> {
  const make = async (): Promise<{ readonly bytes: Uint8Array<ArrayBuffer>; readonly etag: string }> => {
    const bytes = new TextEncoder().encode(JSON.stringify(await openApiDocument()));
    return { bytes, etag: `"${hash('sha256', bytes, 'base64url')}"` };
  };
  let kept: ReturnType<typeof make> | undefined;
  return async (c) => {
    kept ??= make();
    const { bytes, etag } = await kept;
    if (c.req.header('if-none-match') === etag) return c.body(null, 304, { ETag: etag });
    return c.body(bytes, 200, {
      'Content-Type': 'application/json',
      'Content-Length': String(bytes.length),
      ETag: etag,
    });
  };
}

/** What reading the rest of a request fails with once the client has closed its connection. */
const BROKEN_OFF: ReadonlySet<string> = new Set(['ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE', 'ABORT_ERR']);

function hasLeft(c: Context, error: unknown): boolean {
  return c.req.raw.signal.aborted && BROKEN_OFF.has(codeOf(error) ?? '');
}

function answer(c: Context, error: unknown): Response {
  const problem = problemOf(error);
  return c.body(JSON.stringify(problem), problem.status, {
    'Content-Type': PROBLEM_TYPE,
    // What of the body has not come is not waited for.
    ...(problem.status === 408 ? { Connection: 'close' } : {}),
    ...(problem.status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {}),
    ...(problem.status === 429 || problem.status === 503 ? { 'Retry-After': RETRY_AFTER_SECONDS } : {}),
  });
}
