import type { Context } from 'hono';
import { serverSentEvents } from '../event-stream.ts';
import { CodedError } from '../../lib/coded-error.ts';
import { jobEvents, sequence } from '../../openapi/operations/output-operations.ts';
import { findJob } from '../job-lookup.ts';
import type { RouteContext } from '../needs.ts';
import { bodyOf } from '../streams.ts';
import { eventView } from '../views/event-view.ts';
import { invalidQuery, parameter, queryOf, type Route } from './route.ts';

export function eventRoutes(context: RouteContext): readonly Route[] {
  return [
    {
      operation: jobEvents,
      handle: async (c) => {
        const { cursor = 0, limit } = queryOf(c, jobEvents.query);
        const jobId = parameter(c, 'id');
        await findJob(context.orchestrator, jobId);
        if (c.req.header('accept')?.includes('text/event-stream') === true) {
          const afterSeq = lastEventId(c) ?? cursor;
          await hasHappened(context, jobId, afterSeq);
          return streamEvents(c, context, jobId, afterSeq);
        }
        await hasHappened(context, jobId, cursor);
        const events = await context.orchestrator.events(jobId, cursor, limit);
        const last = events.length === limit ? events.at(-1) : undefined;
        return c.json({
          items: events.map((event) => eventView(event, context.calendar)),
          ...(last === undefined ? {} : { nextCursor: String(last.seq) }),
        });
      },
    },
  ];
}

/** Behind an event that never was, a reader would wait in silence for what has long happened. */
async function hasHappened({ orchestrator }: RouteContext, jobId: string, seq: number): Promise<void> {
  if (seq === 0) return;
  const [event] = await orchestrator.events(jobId, seq - 1, 1);
  if (event?.seq === seq) return;
  throw new CodedError(
    'CURSOR_INVALID',
    `The job has no event ${seq}. Leave it out to read from the first one.`,
  );
}

function streamEvents(c: Context, context: RouteContext, jobId: string, afterSeq: number): Response {
  const { orchestrator, clock, calendar, options, streams } = context;
  const controller = streams.open(c.req.raw.signal);
  const events = serverSentEvents(
    orchestrator,
    clock,
    calendar,
    { jobId, afterSeq, heartbeatMs: options.sseHeartbeatMs },
    controller.signal,
  );
  return c.body(bodyOf(c, events, controller, 'ended'), 200, {
    'Content-Type': 'text/event-stream; charset=utf-8',
  });
}

function lastEventId(c: Context): number | undefined {
  const text = c.req.header('last-event-id');
  if (text === undefined || text === '') return undefined;
  const parsed = sequence.safeParse(text);
  if (parsed.success) return parsed.data;
  throw invalidQuery([
    { path: 'Last-Event-ID', code: 'invalid_format', message: 'expected the number of an event' },
  ]);
}
