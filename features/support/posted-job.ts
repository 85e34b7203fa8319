import {
  type Bid,
  type BidmeshClient,
  bytesOf,
  type Contract,
  type Explanation,
  type Job,
  type JobEvent,
  newestResults,
  type Result,
} from '../../src/client/index.ts';
import { type Address, ask } from './http-answer.ts';

const LONGEST_WAIT_MS = 20_000;
const ENDS: ReadonlySet<string> = new Set(['job.completed', 'job.failed', 'job.stopped']);

/** A job on the node it was posted to. */
export class PostedJob {
  readonly id: string;
  readonly url: Address;
  readonly api: BidmeshClient;
  /** The node's name in the scenario. */
  readonly owner: string;

  constructor(id: string, owner: string, url: Address, api: BidmeshClient) {
    this.id = id;
    this.owner = owner;
    this.url = url;
    this.api = api;
  }

  view(): Promise<Job> {
    return this.api.getJob(this.id);
  }

  /** Those so far. */
  async events(): Promise<readonly JobEvent[]> {
    const events: JobEvent[] = [];
    for await (const event of this.api.jobEvents(this.id, { follow: false })) events.push(event);
    return events;
  }

  async bids(): Promise<readonly Bid[]> {
    return (await this.api.listBids(this.id)).items;
  }

  async contracts(): Promise<readonly Contract[]> {
    return (await this.api.listContracts(this.id)).items;
  }

  explanation(): Promise<Explanation> {
    return this.api.explainJob(this.id);
  }

  results(): Promise<readonly Result[]> {
    return newestResults((cursor) => this.api.listResults(this.id, { cursor }));
  }

  /** The text of a result file. */
  async resultText(path: string): Promise<string> {
    return new TextDecoder().decode(await bytesOf(await this.api.getResultFile(this.id, path)));
  }

  /** What its program printed, as text. */
  async log(): Promise<string> {
    const { status, body } = await ask(this.url, 'GET', `/orchestrator/jobs/${this.id}/logs`);
    if (status !== 200) throw new Error(`logs: ${status} ${body}`);
    return body;
  }

  cancel(): Promise<void> {
    return this.api.cancelJob(this.id);
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
      for await (const event of this.api.jobEvents(this.id, { signal: stop.signal })) {
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
  async over(): Promise<Job['state']> {
    await this.eventsUntil(`job ${this.id} ends`, ({ type }) => ENDS.has(type));
    return (await this.view()).state;
  }

  /** Waits for the end of the job, which has to be `type`. */
  async ends(type: 'job.completed' | 'job.failed' | 'job.stopped', limitMs?: number): Promise<Job> {
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
