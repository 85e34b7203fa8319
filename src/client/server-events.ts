import { type Timers, within } from '../lib/clock.ts';
import { CodedError } from '../lib/coded-error.ts';
import type { BodyReader } from './connection.ts';

/** One server-sent event. */
export interface ServerEvent {
  readonly id: string | undefined;
  readonly type: string;
  readonly data: string;
}

/** The node sends a comment every 15 s: a stream that is silent for longer than this is broken. */
const SILENT_AFTER_MS = 60_000;
/** In letters; the node's own are shorter by far. */
const MOST_EVENT_LENGTH = 16_777_216;
const BLOCK_END = '\n\n';

export function isEventStream(response: Response): boolean {
  return response.headers.get('content-type')?.startsWith('text/event-stream') === true;
}

/** Reads a stream of server-sent events. Throws `STREAM_SILENT` where not even heartbeats come any more. */
export async function* serverEvents(body: BodyReader, timers: Timers): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  let text = '';
  try {
    for (;;) {
      const chunk = await within(timers, SILENT_AFTER_MS, body.read(), () => 'silent' as const);
      if (chunk === 'silent') throw new CodedError('STREAM_SILENT', 'The node has fallen silent.');
      if (chunk === undefined) return;
      // What was looked at already has no end of a block, but for its last letter.
      let lookFrom = Math.max(0, text.length - 1);
      text += decoder.decode(chunk, { stream: true });
      let start = 0;
      for (let end = text.indexOf(BLOCK_END, lookFrom); end >= 0; end = text.indexOf(BLOCK_END, lookFrom)) {
        const event = parseBlock(text.slice(start, end));
        if (event !== undefined) yield event;
        start = end + BLOCK_END.length;
        lookFrom = start;
      }
      text = text.slice(start);
      if (text.length > MOST_EVENT_LENGTH) {
        throw new CodedError('API_UNEXPECTED', 'What listens there sends an event without an end.');
      }
    }
  } finally {
    body.cancel();
  }
}
function parseBlock(block: string): ServerEvent | undefined {
  const data: string[] = [];
  let id: string | undefined;
  let type = 'message';
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':');
    const value = line.slice(colon + 1).trimStart();
    if (line.startsWith('data:')) data.push(value);
    else if (line.startsWith('id:')) id = value;
    else if (line.startsWith('event:')) type = value;
  }
  return data.length === 0 ? undefined : { id, type, data: data.join('\n') };
}
