import type { Context } from 'hono';
import { within } from '../../lib/clock.ts';
import { CodedError, codeOf } from '../../lib/coded-error.ts';
import type { JobLogsOptions } from '../../orchestrator/index.ts';
import { getResultFile, jobLogs, listResults } from '../../openapi/operations/output-operations.ts';
import { findJob } from '../job-lookup.ts';
import { logEvents, logText, parsePlace } from '../log-stream.ts';
import type { RouteContext } from '../needs.ts';
import { type ListedFile, resultPage } from '../result-pages.ts';
import { bodyOf } from '../streams.ts';
import { invalidQuery, noQuery, parameter, queryOf, type Route } from './route.ts';

export function outputRoutes(context: RouteContext): readonly Route[] {
  return [logsRoute(context), resultsRoute(context), resultFileRoute(context)];
}

function logsRoute(context: RouteContext): Route {
  return {
    operation: jobLogs,
    handle: async (c) => {
      const { follow, stream, from, execution, partition = 0 } = queryOf(c, jobLogs.query);
      const jobId = parameter(c, 'id');
      const { job } = await findJob(context.orchestrator, jobId);
      if (partition >= job.spec.count) throw noPartition(job.spec.count);
      const options = { follow, stream, from, partition };
      const named = execution === undefined ? {} : { executionId: execution };
      if (c.req.header('accept')?.includes('text/event-stream') !== true) {
        return textAnswer(c, context, jobId, { ...options, ...named });
      }
      const onwards = execution === undefined;
      return eventsAnswer(c, context, jobId, { ...options, ...named, onwards, ...lastPlace(c) });
    },
  };
}

function noPartition(count: number): Error {
  const message = `the job has partitions 0 to ${count - 1}`;
  return invalidQuery([{ path: 'partition', code: 'too_big', message }]);
}

function lastPlace(c: Context): Pick<JobLogsOptions, 'executionId' | 'from'> | undefined {
  const text = c.req.header('last-event-id');
  if (text === undefined || text === '') return undefined;
  const place = parsePlace(text);
  if (place !== undefined) return place;
  const message = 'expected an execution and an offset, as in the ids of this stream';
  throw invalidQuery([{ path: 'Last-Event-ID', code: 'invalid_format', message }]);
}

async function textAnswer(
  c: Context,
  { orchestrator, clock, options, streams }: RouteContext,
  jobId: string,
  wanted: JobLogsOptions,
): Promise<Response> {
  const controller = streams.open(c.req.raw.signal);
  const logs = logText(orchestrator.logs(jobId, wanted, controller.signal), wanted.follow);
  try {
    const first = logs.next();
    // A refusal comes with the first read; a program that prints nothing yet must not hold the answer back.
    await (wanted.follow ? within(clock, options.earlyRefusalMs, first, () => undefined) : first);
    const body = bodyOf(c, startingWith(first, logs), controller);
    return c.body(body, 200, { 'Content-Type': 'text/plain; charset=utf-8' });
  } catch (error) {
    controller.abort();
    throw error;
  }
}

function eventsAnswer(
  c: Context,
  { orchestrator, clock, options, streams }: RouteContext,
  jobId: string,
  wanted: JobLogsOptions,
): Response {
  const controller = streams.open(c.req.raw.signal);
  const events = logEvents(orchestrator.logs(jobId, wanted, controller.signal), clock, {
    stream: wanted.stream,
    heartbeatMs: options.sseHeartbeatMs,
  });
  return c.body(bodyOf(c, events, controller), 200, { 'Content-Type': 'text/event-stream; charset=utf-8' });
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
    operation: listResults,
    handle: async (c) => {
      const { limit, cursor } = queryOf(c, listResults.query);
      const jobId = parameter(c, 'id');
      await findJob(orchestrator, jobId);
      const results = await orchestrator.results(jobId);
      const place = { limit, ...(cursor === undefined ? {} : { cursor }) };
      return c.json(await resultPage(results, (cid) => filesOf(content, cid), place));
    },
  };
}

/** A result that is not here any more keeps none of the others back. */
async function filesOf(
  content: RouteContext['content'],
  cid: string,
): Promise<readonly ListedFile[] | undefined> {
  try {
    const entries = await content.tree(cid);
    return entries.map((entry) => ({ path: entry.path, size: entry.size, cid: entry.cid }));
  } catch (error) {
    if (codeOf(error) === 'CONTENT_UNAVAILABLE') return undefined;
    throw error;
  }
}

function resultFileRoute({ orchestrator, content, streams }: RouteContext): Route {
  return {
    operation: getResultFile,
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
      return c.body(bodyOf(c, file.bytes, controller), 200, {
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
