import { type Clock, within } from '../lib/clock.ts';
import { CodedError } from '../lib/coded-error.ts';
import type { LogPart } from '../orchestrator/index.ts';
import { problemOf } from './problem.ts';

const RECONNECT_MS = 1000;
const HEARTBEAT = ': still here\n\n';
/** Of one event: a line that is much longer is slow to read. */
const MOST_EVENT_BYTES = 64 * 1024;

/**
 * What one execution printed, as it is. Text cannot say where it ends or what is missing, so where more was printed
 * than can be given, this fails and the answer breaks off.
 */
export async function* logText(parts: AsyncIterable<LogPart>, follow: boolean): AsyncGenerator<Uint8Array> {
  let given = false;
  for await (const part of parts) {
    if (part.kind === 'output') {
      given = true;
      yield part.bytes;
    } else if (part.kind === 'missing' && (follow || !given || part.until !== undefined)) {
      throw missing(part);
    } else if (part.kind === 'end' && follow && part.exitReason === 'lost') {
      throw new CodedError('LOGS_UNAVAILABLE', 'The provider went away before the program had ended.');
    }
  }
}

function missing({ executionId, offset, until }: Extract<LogPart, { kind: 'missing' }>): CodedError {
  const where =
    until === undefined
      ? `What execution ${executionId} printed from byte ${offset} on has not come here: its provider went away first. What that provider still has comes when it is back.`
      : `Of what execution ${executionId} printed, bytes ${offset} to ${until} have not come here. Read on with from=${until}.`;
  return new CodedError('LOGS_UNAVAILABLE', where);
}

export interface LogEventsOptions {
  readonly stream: 'stdout' | 'stderr';
  readonly heartbeatMs: number;
}

/**
 * The same as server-sent events, each with the place behind it as its id. A stream that ended has an `end`; one that
 * has none broke off.
 */
export async function* logEvents(
  parts: AsyncIterable<LogPart>,
  clock: Clock,
  { stream, heartbeatMs }: LogEventsOptions,
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  const iterator = parts[Symbol.asyncIterator]();
  try {
    yield encoder.encode(`retry: ${RECONNECT_MS}\n\n`);
    let next = iterator.next();
    for (;;) {
      const step = await within(clock, heartbeatMs, next, () => undefined);
      if (step === undefined) {
        yield encoder.encode(HEARTBEAT);
      } else if (step.done === true) {
        return;
      } else {
        for (const text of eventsOf(step.value, stream)) yield encoder.encode(text);
        next = iterator.next();
      }
    }
  } catch (error) {
    const { code, detail } = problemOf(error);
    // A node that stops, or that does not know what is wrong, breaks the stream off.
    if (code === 'STOPPING' || code === 'INTERNAL') throw error;
    yield encoder.encode(`event: error\ndata: ${JSON.stringify({ code, detail })}\n\n`);
  } finally {
    iterator.return?.(undefined)?.catch(() => {});
  }
}

function* eventsOf(part: LogPart, stream: string): Generator<string> {
  if (part.kind !== 'output') {
    const { kind, ...data } = part;
    yield event(kind, placeIn(part), { stream, ...data });
    return;
  }
  const { executionId, offset, bytes } = part;
  for (let start = 0; start < bytes.length; start += MOST_EVENT_BYTES) {
    const piece = bytes.subarray(start, start + MOST_EVENT_BYTES);
    const from = offset + start;
    const text = Buffer.from(piece.buffer, piece.byteOffset, piece.length).toString('base64');
    yield event('output', placeOf(executionId, from + piece.length), {
      stream,
      executionId,
      offset: from,
      bytes: text,
    });
  }
}

function event(kind: string, id: string | undefined, data: unknown): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`;
}

function placeIn(part: LogPart): string | undefined {
  if (part.kind === 'end') return undefined;
  return placeOf(part.executionId, part.kind === 'missing' ? (part.until ?? part.offset) : part.offset);
}

function placeOf(executionId: string, offset: number): string {
  return `${executionId}:${offset}`;
}

const PLACE = /^([^:\s]{1,256}):(\d{1,15})$/;

/** The place that an id names; undefined where it names none. */
export function parsePlace(id: string): { readonly executionId: string; readonly from: number } | undefined {
  const [, executionId, from] = PLACE.exec(id) ?? [];
  return executionId === undefined ? undefined : { executionId, from: Number(from) };
}
