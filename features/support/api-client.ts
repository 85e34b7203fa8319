import { z } from 'zod';
import { type Bid, bidShape } from '../../src/openapi/shapes/bid.ts';
import { type Contract, contractShape } from '../../src/openapi/shapes/contract.ts';
import { type JobEvent, jobEventShape } from '../../src/openapi/shapes/event.ts';
import { type Explanation, explanationShape } from '../../src/openapi/shapes/explanation.ts';
import { type Job, type JobSummary, jobShape, jobSummaryShape } from '../../src/openapi/shapes/job.ts';
import { type Status, statusShape } from '../../src/openapi/shapes/node.ts';
import { type Peer, peerShape } from '../../src/openapi/shapes/peer.ts';
import { type Resources, resourcesShape } from '../../src/openapi/shapes/resources.ts';

export type { JobEvent };
export type JobView = Job;
export type BidView = Bid;
export type ExplanationView = Explanation;
type ContractView = Contract;
type PeerView = Peer;
type ResourcesView = Resources;
type StatusView = Status;

const resultView = z.object({
  executionId: z.string(),
  partition: z.number(),
  files: z.array(z.object({ path: z.string(), size: z.number(), cid: z.string() })),
});

const problemView = z.object({
  status: z.number(),
  code: z.string(),
  detail: z.string(),
  errors: z.array(z.object({ path: z.string(), code: z.string(), message: z.string() })).optional(),
});

/** One answer of a node as it came over HTTP. */
export interface HttpAnswer {
  readonly status: number;
  readonly location: string | undefined;
  readonly contentType: string | undefined;
  readonly body: string;
}

/** The problem document that an answer is. */
export function problemOf(answer: HttpAnswer): z.infer<typeof problemView> {
  return problemView.parse(JSON.parse(answer.body));
}

/** A node as its user sees it: everything goes over its HTTP interface, and what comes back has the documented shape. */
export class ApiClient {
  readonly #base: () => string;
  readonly #signal: AbortSignal;

  /** `base` is asked each time: a node that is started again listens elsewhere. */
  constructor(base: () => string, signal: AbortSignal) {
    this.#base = base;
    this.#signal = signal;
  }

  async send(
    method: 'GET' | 'POST',
    path: string,
    request: {
      readonly body?: string | Uint8Array<ArrayBuffer>;
      readonly headers?: Record<string, string>;
    } = {},
  ): Promise<HttpAnswer> {
    const response = await this.#fetch(path, { method, ...request });
    return {
      status: response.status,
      location: response.headers.get('location') ?? undefined,
      contentType: response.headers.get('content-type') ?? undefined,
      body: await response.text(),
    };
  }

  /** Posts a job that has to be accepted; gives the path of its record. */
  async postJob(description: unknown): Promise<string> {
    const answer = await this.send('POST', '/orchestrator/postJob', {
      body: JSON.stringify(description),
      headers: { 'content-type': 'application/json' },
    });
    if (answer.status !== 202 || answer.location === undefined) {
      throw new Error(`the job was not accepted: ${answer.status} ${answer.body}`);
    }
    return answer.location;
  }

  async jobs(): Promise<readonly JobSummary[]> {
    return this.#list('/orchestrator/jobs', jobSummaryShape);
  }

  async job(location: string): Promise<JobView> {
    return jobShape.parse(await this.#json(location));
  }

  async bids(location: string): Promise<readonly BidView[]> {
    return this.#list(`${location}/bids`, bidShape);
  }

  async contracts(location: string): Promise<readonly ContractView[]> {
    return this.#list(`${location}/contracts`, contractShape);
  }

  async events(location: string): Promise<readonly JobEvent[]> {
    return this.#list(`${location}/events`, jobEventShape);
  }

  async results(location: string): Promise<readonly z.infer<typeof resultView>[]> {
    return this.#list(`${location}/results`, resultView);
  }

  async resources(): Promise<ResourcesView> {
    return resourcesShape.parse(await this.#json('/dms/resources'));
  }

  async status(): Promise<StatusView> {
    return statusShape.parse(await this.#json('/dms/status'));
  }

  async peers(): Promise<readonly PeerView[]> {
    return this.#list('/dms/peers', peerShape);
  }

  async explain(location: string): Promise<ExplanationView> {
    return explanationShape.parse(await this.#json(`${location}/explain`));
  }

  /** Searches for a job without posting it. */
  async tryJob(description: unknown): Promise<ExplanationView> {
    const answer = await this.send('POST', '/orchestrator/postJob?dryRun=true', {
      body: JSON.stringify(description),
      headers: { 'content-type': 'application/json' },
    });
    if (answer.status !== 200) throw new Error(`the dry run was refused: ${answer.status} ${answer.body}`);
    return explanationShape.parse(JSON.parse(answer.body));
  }

  async bytes(path: string): Promise<Uint8Array> {
    const response = await this.#fetch(path, {});
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
    return new Uint8Array(await response.arrayBuffer());
  }

  async cancel(location: string): Promise<void> {
    const answer = await this.send('POST', `${location}/cancel`);
    if (answer.status !== 202) throw new Error(`cancel: ${answer.status} ${answer.body}`);
  }

  /** The bytes of a path as they come, until the node ends the answer or `signal` is aborted. */
  async *stream(
    path: string,
    headers: Record<string, string>,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const response = await this.#fetch(path, { headers, signal });
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
    yield* response.body ?? [];
  }

  /** The events of a job from its first one, each as it happens. */
  async *follow(location: string, signal: AbortSignal): AsyncGenerator<JobEvent> {
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of this.stream(`${location}/events`, { accept: 'text/event-stream' }, signal)) {
      text += decoder.decode(chunk, { stream: true });
      const frames = text.split('\n\n');
      text = frames.pop() ?? '';
      for (const frame of frames) {
        const line = frame.split('\n').find((one) => one.startsWith('data:'));
        if (line !== undefined) yield jobEventShape.parse(JSON.parse(line.slice('data:'.length)));
      }
    }
  }

  async #list<Item>(path: string, item: z.ZodType<Item>): Promise<readonly Item[]> {
    return z.object({ items: z.array(item) }).parse(await this.#json(path)).items;
  }

  async #json(path: string): Promise<unknown> {
    const response = await this.#fetch(path, {});
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  #fetch(path: string, init: RequestInit): Promise<Response> {
    const signal = AbortSignal.any([
      this.#signal,
      ...(init.signal instanceof AbortSignal ? [init.signal] : []),
    ]);
    return fetch(`${this.#base()}${path}`, { ...init, signal });
  }
}
