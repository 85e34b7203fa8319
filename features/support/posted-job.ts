import type { ApiClient, JobEvent, JobView } from './api-client.ts';

const LONGEST_WAIT_MS = 20_000;
const ENDS: ReadonlySet<string> = new Set(['job.completed', 'job.failed', 'job.stopped']);

/** A job on the node it was posted to. */
export class PostedJob {
  readonly api: ApiClient;
  /** The node's name in the scenario. */
  readonly owner: string;
  /** The path of its record. */
  readonly location: string;

  constructor(api: ApiClient, owner: string, location: string) {
    this.api = api;
    this.owner = owner;
    this.location = location;
  }

  get id(): string {
    return this.location.slice(this.location.lastIndexOf('/') + 1);
  }

  view(): Promise<JobView> {
    return this.api.job(this.location);
  }

  /** Every event up to the first one that `wanted` accepts. Rejects when the job ends without it, or in time. */
  async eventsUntil(
    what: string,
    wanted: (event: JobEvent) => boolean,
    limitMs = LONGEST_WAIT_MS,
  ): Promise<readonly JobEvent[]> {
    const seen: JobEvent[] = [];
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), limitMs);
    try {
      for await (const event of this.api.follow(this.location, stop.signal)) {
        seen.push(event);
        if (wanted(event)) return seen;
        if (ENDS.has(event.type)) break;
      }
    } catch (cause) {
      const why = stop.signal.aborted ? `not within ${limitMs} ms` : String(cause);
      throw new Error(`${what}: ${why}.${historyOf(seen)}`, { cause });
    } finally {
      clearTimeout(timer);
      stop.abort();
    }
    throw new Error(`${what}: it never happened.${historyOf(seen)}`);
  }

  /** Waits for the end of the job and gives its state. */
  async over(): Promise<JobView['state']> {
    await this.eventsUntil(`job ${this.id} ends`, ({ type }) => ENDS.has(type));
    return (await this.view()).state;
  }

  /** Waits for the end of the job, which has to be `type`. */
  async ends(type: 'job.completed' | 'job.failed' | 'job.stopped', limitMs?: number): Promise<JobView> {
    await this.eventsUntil(`job ${this.id} ends as ${type}`, (event) => event.type === type, limitMs);
    return this.view();
  }
}

function historyOf(events: readonly JobEvent[]): string {
  const lines = events.map(
    ({ at, type, provider, code, message }) =>
      `  ${at} ${[type, provider?.slice(-6), code, message].filter(Boolean).join(' ')}`,
  );
  return ` It went:\n${lines.join('\n')}`;
}
