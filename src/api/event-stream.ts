import type { JobEvent } from '../domain/job/job-event.ts';
import type { Calendar } from '../lib/calendar.ts';
import type { Clock } from '../lib/clock.ts';
import type { Orchestrator } from '../orchestrator/index.ts';
import { eventView } from './views/event-view.ts';

const PAGE_SIZE = 256;
const RECONNECT_MS = 1000;
const HEARTBEAT = ': still here\n\n';

export interface EventStreamOptions {
  readonly jobId: string;
  readonly afterSeq: number;
  readonly heartbeatMs: number;
}

/**
 * The events of a job as server-sent events, from the store and then as they happen, until `signal` is aborted.
 * What a commit tells is sent as it is when it follows on what was sent; whenever something is missing in between,
 * the store is read, so the stream is in order and without gaps.
 */
export async function* serverSentEvents(
  orchestrator: Pick<Orchestrator, 'events' | 'watch'>,
  clock: Clock,
  calendar: Calendar,
  options: EventStreamOptions,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  const doorbell = new Doorbell(clock);
  const fresh = new FreshEvents();
  const unwatch = orchestrator.watch(options.jobId, (events) => {
    fresh.add(events);
    doorbell.ring();
  });
  const onAbort = (): void => doorbell.ring();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    let opening = `retry: ${RECONNECT_MS}\n\n`;
    let afterSeq = options.afterSeq;
    while (!signal.aborted) {
      const page =
        fresh.takeAfter(afterSeq) ?? (await orchestrator.events(options.jobId, afterSeq, PAGE_SIZE));
      if (page.length > 0 || opening !== '') {
        afterSeq = page.at(-1)?.seq ?? afterSeq;
        yield encoder.encode(opening + page.map((event) => formatEvent(event, calendar)).join(''));
        opening = '';
      } else if (!(await doorbell.wait(options.heartbeatMs))) {
        yield encoder.encode(HEARTBEAT);
      }
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    unwatch();
  }
}

function formatEvent(event: JobEvent, calendar: Calendar): string {
  return `id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(eventView(event, calendar))}\n\n`;
}

/** What the commits told since the last look, as long as it is one run without gaps and not too long. */
class FreshEvents {
  #events: JobEvent[] = [];

  add(events: readonly JobEvent[]): void {
    const [first] = events;
    if (first === undefined) return;
    const last = this.#events.at(-1);
    if (last !== undefined && first.seq !== last.seq + 1) this.#events = [];
    this.#events.push(...events);
    if (this.#events.length > PAGE_SIZE) this.#events = [];
  }

  /** The run behind `afterSeq`; undefined when the store has to be asked. */
  takeAfter(afterSeq: number): readonly JobEvent[] | undefined {
    const events = this.#events.filter((event) => event.seq > afterSeq);
    this.#events = [];
    return events[0]?.seq === afterSeq + 1 ? events : undefined;
  }
}

/** Remembers a ring that came while nobody waited. */
class Doorbell {
  readonly #clock: Clock;
  #rung = false;
  #answer: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ring(): void {
    this.#rung = true;
    this.#answer?.();
  }

  /** True when it rang, false when `limitMs` went by. */
  async wait(limitMs: number): Promise<boolean> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        const timer = this.#clock.after(limitMs, resolve);
        this.#answer = () => {
          timer.cancel();
          resolve();
        };
      });
      this.#answer = undefined;
    }
    const rung = this.#rung;
    this.#rung = false;
    return rung;
  }
}
