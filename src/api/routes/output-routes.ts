import { z } from '@hono/zod-openapi';
import { within } from '../../lib/clock.ts';
import { CodedError } from '../../lib/coded-error.ts';
import { findJob } from '../job-lookup.ts';
import type { RouteContext } from '../needs.ts';
import { bodyOf } from '../streams.ts';
import { flag, jsonAnswer, listOf, noQuery, parameter, queryOf, type Route, wholeNumber } from './route.ts';

const logsQuery = z.strictObject({
  follow: flag,
  stream: z.enum(['stdout', 'stderr']).default('stdout'),
  from: wholeNumber(0, Number.MAX_SAFE_INTEGER).default(0),
  execution: z.string().max(256).optional(),
});

const resultView = z
  .object({
    executionId: z.string(),
    partition: z.number().int(),
    files: z.array(z.object({ path: z.string(), size: z.number().int(), cid: z.string() })),
  })
  .openapi('Result');

const BYTES = { description: 'The bytes.', content: { 'application/octet-stream': { schema: z.string() } } };

export function outputRoutes(context: RouteContext): readonly Route[] {
  return [logsRoute(context), resultsRoute(context), resultFileRoute(context)];
}

function logsRoute({ orchestrator, clock, options, streams }: RouteContext): Route {
  return {
    method: 'get',
    path: '/orchestrator/jobs/{id}/logs',
    summary: 'What the program printed, from a byte offset; with follow until the execution ends.',
    query: logsQuery,
    responses: { 200: { description: 'The bytes.', content: { 'text/plain': { schema: z.string() } } } },
    handle: async (c) => {
      const { follow, stream, from, execution } = queryOf(c, logsQuery);
      const jobId = parameter(c, 'id');
      await findJob(orchestrator, jobId);
      const controller = streams.open(c.req.raw.signal);
      const logs = orchestrator.logs(
        jobId,
        { follow, stream, from, ...(execution === undefined ? {} : { executionId: execution }) },
        controller.signal,
      );
      const iterator = logs[Symbol.asyncIterator]();
      try {
        const first = iterator.next();
        // A refusal comes with the first read; a program that prints nothing yet must not hold the answer back.
        await within(clock, options.earlyRefusalMs, first, () => undefined);
        const body = bodyOf(startingWith(first, iterator), controller);
        return c.body(body, 200, { 'Content-Type': 'text/plain; charset=utf-8' });
      } catch (error) {
        controller.abort();
        throw error;
      }
    },
  };
}

function startingWith(
  first: Promise<IteratorResult<Uint8Array>>,
  rest: AsyncIterator<Uint8Array>,
): AsyncIterable<Uint8Array> {
  let next: Promise<IteratorResult<Uint8Array>> | undefined = first;
  const iterator: AsyncIterator<Uint8Array> = {
    next: () => {
      const step = next ?? rest.next();
      next = undefined;
      return step;
    },
    return: async () => (await rest.return?.()) ?? { done: true, value: undefined },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

function resultsRoute({ orchestrator, content }: RouteContext): Route {
  return {
    method: 'get',
    path: '/orchestrator/jobs/{id}/results',
    summary: 'The result files of a job, by partition.',
    responses: { 200: jsonAnswer('stdout, stderr, exit.json and outputs/NAME/….', listOf(resultView)) },
    handle: async (c) => {
      noQuery(c);
      const jobId = parameter(c, 'id');
      await findJob(orchestrator, jobId);
      const results = await orchestrator.results(jobId);
      const items = await Promise.all(
        results.map(async ({ executionId, partition, cid }) => ({
          executionId,
          partition,
          files: (await content.tree(cid)).map((entry) => ({
            path: entry.path,
            size: entry.size,
            cid: entry.cid,
          })),
        })),
      );
      return c.json({ items });
    },
  };
}

function resultFileRoute({ orchestrator, content, streams }: RouteContext): Route {
  return {
    method: 'get',
    path: '/orchestrator/jobs/{id}/results/{path}',
    summary: 'One result file. Jobs with several partitions name one first: p0/stdout.',
    responses: { 200: BYTES },
    handle: async (c) => {
      noQuery(c);
      const jobId = parameter(c, 'id');
      const { job } = await findJob(orchestrator, jobId);
      const { partition, path } = locate(parameter(c, 'path'), job.spec.count);
      const result = (await orchestrator.results(jobId)).findLast((one) => one.partition === partition);
      const file = result === undefined ? undefined : await content.open(result.cid, path);
      if (file === undefined) {
        throw new CodedError(
          'RESULT_NOT_FOUND',
          `The job has no result file ${path} in partition ${partition}. GET /orchestrator/jobs/${jobId}/results lists those there are.`,
        );
      }
      const controller = streams.open(c.req.raw.signal);
      return c.body(bodyOf(file.bytes, controller), 200, {
        'Content-Type': contentTypeOf(path),
        'Content-Length': String(file.size),
      });
    },
  };
}

/** `p3/outputs/a` is in partition 3; without a partition the path is in the only one. */
function locate(
  requested: string,
  partitions: number,
): { readonly partition: number; readonly path: string } {
  const prefixed = /^p(\d{1,6})\/(.+)$/s.exec(requested);
  if (prefixed !== null) return { partition: Number(prefixed[1]), path: prefixed[2] ?? '' };
  if (partitions === 1) return { partition: 0, path: requested };
  throw new CodedError(
    'PARTITION_REQUIRED',
    `The job has ${partitions} partitions: say which, as in results/p0/${requested}.`,
  );
}

/** Outputs come from strangers: they are never served as something that a browser would run. */
function contentTypeOf(path: string): string {
  return path === 'stdout' || path === 'stderr' ? 'text/plain; charset=utf-8' : 'application/octet-stream';
}
