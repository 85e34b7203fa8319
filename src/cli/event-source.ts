import type { Clock } from '../lib/clock.ts';
import { CodedError } from '../lib/coded-error.ts';
import { type ApiClient, jobPath } from './api-client.ts';
import { type EventAnswer, eventShape } from './responses.ts';
import { resuming } from './resuming.ts';
import { serverEvents } from './server-events.ts';

/**
 * The events of a job from `afterSeq` on, as they happen. A broken connection is taken up again where it ended;
 * gives up after several failures in a row. Ends quietly when `signal` is aborted.
 */
export async function* jobEvents(
  client: ApiClient,
  clock: Clock,
  jobId: string,
  signal: AbortSignal,
  afterSeq = 0,
): AsyncGenerator<EventAnswer> {
  let lastSeq = afterSeq;
  const givenUp = (cause: unknown): Error => {
    if (cause instanceof CodedError) return cause;
    return new CodedError('EVENTS_LOST', `The node ends the event stream of job ${jobId} again and again.`);
  };
  yield* resuming({ clock, signal, givenUp }, async function* () {
    const response = await client.request(jobPath(jobId, '/events'), {
      headers: { accept: 'text/event-stream', 'last-event-id': String(lastSeq) },
      signal,
    });
    for await (const { data } of serverEvents(response, clock)) {
      const event = eventShape.parse(JSON.parse(data));
      lastSeq = event.seq;
      yield event;
    }
    return false;
  });
}
