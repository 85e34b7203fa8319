import { CodedError } from '../lib/coded-error.ts';
import { jobLogs as operation } from '../openapi/operations/output-operations.ts';
import { logEventShapes } from '../openapi/shapes/log.ts';
import type { QueryOf } from './addresses.ts';
import { base64Bytes } from './base64.ts';
import type { Connection } from './connection.ts';
import { noStream } from './job-events.ts';
import { isPassing, resuming } from './resuming.ts';
import { isEventStream, type ServerEvent, serverEvents } from './server-events.ts';

export interface JobLogsOptions extends QueryOf<typeof operation> {
  /** Ends it quietly. */
  readonly signal?: AbortSignal | undefined;
  /** Called when the stream broke off and is about to be taken up again. */
  readonly onBroken?: () => Promise<void>;
}

export type LogEvent =
  | {
      /** What follows is of this attempt, from `offset` on. */
      readonly type: 'attempt';
      readonly executionId: string;
      readonly partition: number;
      readonly attempt: number;
      readonly provider: string;
      readonly offset: number;
    }
  | { readonly type: 'output'; readonly executionId: string; readonly bytes: Uint8Array }
  | {
      /** From `offset` on, up to `until` where more follows, the output has not come to the node. */
      readonly type: 'missing';
      readonly executionId: string;
      readonly offset: number;
      readonly until?: number | undefined;
    }
  | {
      /** Nothing more can come of what was asked for. */
      readonly type: 'end';
      readonly jobState: string;
      readonly executionId?: string | undefined;
      readonly exitReason?: string | undefined;
      readonly exitCode?: number | undefined;
    };

/** A log stream that could not be taken up again: `offset` bytes of `executionId`, where one was named yet, have come. */
export class LogsBrokenOff extends CodedError<'LOGS_BROKEN_OFF'> {
  readonly executionId: string | undefined;
  readonly offset: number;

  constructor(executionId: string | undefined, offset: number, cause: unknown) {
    super(
      'LOGS_BROKEN_OFF',
      `The node has gone away in the middle of the output, at byte ${offset}; the job may go on. Once the node is back, read on from there.`,
      { cause, data: { offset, ...(executionId === undefined ? {} : { executionId }) } },
    );
    this.executionId = executionId;
    this.offset = offset;
  }
}

/**
 * What executions print, each byte once: a stream that breaks off is taken up again behind the last byte that came.
 * Throws `LOGS_BROKEN_OFF` with the place where that is not possible.
 */
export async function* jobLogs(
  connection: Connection,
  id: string,
  { signal, onBroken, ...query }: JobLogsOptions = {},
): AsyncGenerator<LogEvent> {
  const { timers } = connection;
  let place: string | undefined;
  let shown: string | undefined;
  let opened = false;
  const needs = {
    timers,
    signal,
    onBroken,
    // A node that was never there is said at once; one that was is waited for.
    mayPass: (error: unknown) => opened && isPassing(error),
    givenUp: (cause: unknown) => brokenOff(place, query.from, cause),
  };
  yield* resuming(needs, async function* (): AsyncGenerator<LogEvent, boolean> {
    const headers = {
      accept: 'text/event-stream',
      ...(place === undefined ? {} : { 'last-event-id': place }),
    };
    const response = await connection.send(operation, { path: { id }, query, headers, signal });
    if (!isEventStream(response)) throw noStream(connection);
    opened = true;
    for await (const event of serverEvents(connection.body(response, signal), timers)) {
      const read = logEvent(connection, event);
      // The attempt that was being read is named again at the head of each stream.
      const known = read.type === 'attempt' && read.executionId === shown;
      place = event.id ?? place;
      if (read.type === 'attempt') shown = read.executionId;
      if (!known) yield read;
      if (read.type === 'end') return true;
    }
    return false;
  });
}

function logEvent(connection: Connection, { type, data }: ServerEvent): LogEvent {
  switch (type) {
    case 'attempt':
      return { type, ...connection.read(logEventShapes.attempt, data) };
    case 'output': {
      const { executionId, bytes } = connection.read(logEventShapes.output, data);
      return { type, executionId, bytes: base64Bytes(bytes) };
    }
    case 'missing':
      return { type, ...connection.read(logEventShapes.missing, data) };
    case 'end':
      return { type, ...connection.read(logEventShapes.end, data) };
    default: {
      const { code, detail } = connection.read(logEventShapes.error, data);
      throw new CodedError(code, detail);
    }
  }
}

function brokenOff(
  place: string | undefined,
  from: string | number | undefined,
  cause: unknown,
): LogsBrokenOff {
  const colon = place?.lastIndexOf(':') ?? -1;
  return new LogsBrokenOff(place?.slice(0, colon), Number(place?.slice(colon + 1) ?? from ?? 0), cause);
}
