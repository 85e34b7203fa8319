import { z } from 'zod';
import type { Clock } from '../lib/clock.ts';
import { CodedError } from '../lib/coded-error.ts';
import { type ApiClient, jobPath } from './api-client.ts';
import { isPassing, resuming } from './resuming.ts';
import { type ServerEvent, serverEvents } from './server-events.ts';

export type Stream = 'stdout' | 'stderr';

export interface LogWish {
  readonly jobId: string;
  readonly stream: Stream;
  readonly follow: boolean;
  readonly from?: string;
  readonly partition?: number;
  readonly execution?: string;
}

const attemptShape = z.looseObject({
  executionId: z.string(),
  partition: z.number(),
  attempt: z.number(),
  provider: z.string(),
  offset: z.number(),
});
const outputShape = z.looseObject({ executionId: z.string(), offset: z.number(), bytes: z.string() });
const missingShape = z.looseObject({
  executionId: z.string(),
  offset: z.number(),
  until: z.number().optional(),
});
const endShape = z.looseObject({ jobState: z.string(), exitReason: z.string().optional() });
const errorShape = z.looseObject({ code: z.string(), detail: z.string() });

export type LogEvent =
  | ({ readonly type: 'attempt' } & z.output<typeof attemptShape>)
  | { readonly type: 'output'; readonly executionId: string; readonly bytes: Uint8Array }
  | ({ readonly type: 'missing' } & z.output<typeof missingShape>)
  | ({ readonly type: 'end' } & z.output<typeof endShape>);

export interface LogNeeds {
  readonly client: ApiClient;
  readonly clock: Clock;
  /** Called when the stream broke off and is about to be taken up again. */
  readonly onBroken?: () => Promise<void>;
}

/** The code of a log stream that could not be taken up again; its data has `executionId` and `offset`. */
export const LOGS_BROKEN_OFF = 'LOGS_BROKEN_OFF';

/**
 * What executions print, each byte once: a stream that breaks off is taken up again behind the last byte that came.
 * Throws `LOGS_BROKEN_OFF` with the place where that is not possible. Ends quietly when `signal` is aborted.
 */
export async function* jobLog(
  wish: LogWish,
  { client, clock, onBroken }: LogNeeds,
  signal: AbortSignal,
): AsyncGenerator<LogEvent> {
  const path = jobPath(wish.jobId, `/logs?${queryOf(wish)}`);
  let place: string | undefined;
  let shown: string | undefined;
  let opened = false;
  const needs = {
    clock,
    signal,
    // A node that was never there is said at once; one that was is waited for.
    mayPass: (error: unknown) => opened && isPassing(error),
    givenUp: (cause: unknown) => brokenOff(wish, place, cause),
    ...(onBroken === undefined ? {} : { onBroken }),
  };
  yield* resuming(needs, async function* (): AsyncGenerator<LogEvent, boolean> {
    const headers = {
      accept: 'text/event-stream',
      ...(place === undefined ? {} : { 'last-event-id': place }),
    };
    const response = await client.request(path, { headers, signal });
    opened = true;
    for await (const event of serverEvents(response, clock)) {
      const read = readEvent(event);
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

function queryOf({ stream, follow, from, partition, execution }: LogWish): string {
  return new URLSearchParams({
    stream,
    ...(follow ? { follow: 'true' } : {}),
    ...(from === undefined ? {} : { from }),
    ...(partition === undefined ? {} : { partition: String(partition) }),
    ...(execution === undefined ? {} : { execution }),
  }).toString();
}

function readEvent({ type, data }: ServerEvent): LogEvent {
  const body: unknown = JSON.parse(data);
  switch (type) {
    case 'attempt':
      return { type, ...attemptShape.parse(body) };
    case 'output': {
      const { executionId, bytes } = outputShape.parse(body);
      return { type, executionId, bytes: Buffer.from(bytes, 'base64') };
    }
    case 'missing':
      return { type, ...missingShape.parse(body) };
    case 'end':
      return { type, ...endShape.parse(body) };
    default: {
      const { code, detail } = errorShape.parse(body);
      throw new CodedError(code, detail);
    }
  }
}

function brokenOff(wish: LogWish, place: string | undefined, cause: unknown): CodedError {
  const colon = place?.lastIndexOf(':') ?? -1;
  const executionId = place?.slice(0, colon);
  const offset = Number(place?.slice(colon + 1) ?? wish.from ?? 0);
  const flags = [
    ...(wish.follow ? [' --follow'] : []),
    ...(wish.stream === 'stdout' ? [] : [` --stream ${wish.stream}`]),
    ...(executionId === undefined ? [] : [` --execution ${executionId}`]),
    ` --from ${offset}`,
  ];
  return new CodedError(
    LOGS_BROKEN_OFF,
    `The node has gone away in the middle of the output, at byte ${offset}; the job may go on. Once the node is back, read on with: bidmesh job logs ${wish.jobId}${flags.join('')}`,
    { cause, data: { offset, ...(executionId === undefined ? {} : { executionId }) } },
  );
}
