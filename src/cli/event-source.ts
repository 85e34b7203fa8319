import { backoffMs } from '../lib/backoff.ts';
import { type Clock, sleep } from '../lib/clock.ts';
import { CodedError, codeOf } from '../lib/coded-error.ts';
import { type ApiClient, jobPath } from './api-client.ts';
import { type EventAnswer, eventShape } from './responses.ts';

const RECONNECT = { firstMs: 200, longestMs: 3000, factor: 2 };
const MOST_FAILURES = 6;

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
  for (let failures = 0; ; ) {
    try {
      const response = await client.request(jobPath(jobId, '/events'), {
        headers: { accept: 'text/event-stream', 'last-event-id': String(lastSeq) },
        signal,
      });
      for await (const event of readEvents(response)) {
        failures = 0;
        lastSeq = event.seq;
        yield event;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (isRefusal(error) || failures >= MOST_FAILURES) throw error;
    }
    failures += 1;
    if (failures > MOST_FAILURES) {
      throw new CodedError('EVENTS_LOST', `The node ends the event stream of job ${jobId} again and again.`);
    }
    await sleep(clock, backoffMs(RECONNECT, failures), signal).catch(() => undefined);
    if (signal.aborted) return;
  }
}

/** A node that answers with a refusal will not answer otherwise the next time. */
function isRefusal(error: unknown): boolean {
  return error instanceof CodedError && codeOf(error) !== 'API_UNREACHABLE' && codeOf(error) !== 'STOPPING';
}

async function* readEvents(response: Response): AsyncGenerator<EventAnswer> {
  const body: ReadableStream<Uint8Array> | null = response.body;
  if (body === null) return;
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const event = parseBlock(block);
      if (event !== undefined) yield event;
    }
  }
}

function parseBlock(block: string): EventAnswer | undefined {
  const data = block
    .split('\n')
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice('data:'.length).trimStart())
    .join('\n');
  return data === '' ? undefined : eventShape.parse(JSON.parse(data));
}
