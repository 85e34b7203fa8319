import { CodedError } from '../lib/coded-error.ts';
import { jobEvents as operation } from '../openapi/operations/output-operations.ts';
import { type JobEvent, jobEventShape } from '../openapi/shapes/event.ts';
import type { Connection } from './connection.ts';
import { itemsOf } from './pages.ts';
import { resuming } from './resuming.ts';
import { isEventStream, serverEvents } from './server-events.ts';

export interface JobEventsOptions {
  /** False: those that there are, and then the end. Left out or true: also what is still to come, without an end. */
  readonly follow?: boolean;
  /** The number of the last event that is known. */
  readonly after?: number;
  /** Ends it quietly. */
  readonly signal?: AbortSignal | undefined;
  /** Called when the stream broke off and is about to be taken up again. */
  readonly onBroken?: () => Promise<void>;
}

/**
 * The events of a job in their order, each once. A stream that breaks off is taken up again where it ended; throws
 * `EVENTS_LOST`, or the last failure, after several in a row.
 */
export function jobEvents(
  connection: Connection,
  id: string,
  options: JobEventsOptions = {},
): AsyncGenerator<JobEvent> {
  return options.follow === false
    ? eventsSoFar(connection, id, options)
    : eventsToCome(connection, id, options);
}

function eventsSoFar(
  connection: Connection,
  id: string,
  { after = 0, signal }: JobEventsOptions,
): AsyncGenerator<JobEvent> {
  return itemsOf((cursor = String(after)) =>
    connection.json(operation, operation.answers[200].json, { path: { id }, query: { cursor }, signal }),
  );
}

async function* eventsToCome(
  connection: Connection,
  id: string,
  { after = 0, signal, onBroken }: JobEventsOptions,
): AsyncGenerator<JobEvent> {
  const { timers } = connection;
  let lastSeq = after;
  const givenUp = (cause: unknown): Error => {
    if (cause instanceof CodedError) return cause;
    return new CodedError('EVENTS_LOST', `The node ends the event stream of job ${id} again and again.`);
  };
  yield* resuming({ timers, signal, onBroken, givenUp }, async function* () {
    const headers = { accept: 'text/event-stream', 'last-event-id': String(lastSeq) };
    const response = await connection.send(operation, { path: { id }, headers, signal });
    if (!isEventStream(response)) throw noStream(connection);
    for await (const { data } of serverEvents(connection.body(response, signal), timers)) {
      const event = connection.read(jobEventShape, data);
      lastSeq = event.seq;
      yield event;
    }
    return false;
  });
}

export function noStream(connection: Connection): unknown {
  return connection.unexpected('does not stream events: it may be a node of an older version');
}
