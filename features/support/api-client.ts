import { z } from 'zod';
import { bidView } from '../../src/api/views/bid-view.ts';
import { contractView } from '../../src/api/views/contract-view.ts';
import { eventViewSchema } from '../../src/api/views/event-view.ts';
import { explanationView } from '../../src/api/views/explanation-view.ts';
import { jobSummaryView, jobView } from '../../src/api/views/job-view.ts';
import { peerView, resourcesView, statusView } from '../../src/api/views/node-views.ts';

export type JobEvent = z.infer<typeof eventViewSchema>;
export type JobView = z.infer<typeof jobView>;
export type BidView = z.infer<typeof bidView>;
export type ContractView = z.infer<typeof contractView>;
export type ExplanationView = z.infer<typeof explanationView>;
export type PeerView = z.infer<typeof peerView>;
export type ResourcesView = z.infer<typeof resourcesView>;
export type StatusView = z.infer<typeof statusView>;

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

  async jobs(): Promise<readonly z.infer<typeof jobSummaryView>[]> {
    return this.#list('/orchestrator/jobs', jobSummaryView);
  }

  async job(location: string): Promise<JobView> {
    return jobView.parse(await this.#json(location));
  }

  async bids(location: string): Promise<readonly BidView[]> {
    return this.#list(`${location}/bids`, bidView);
  }

  async contracts(location: string): Promise<readonly ContractView[]> {
    return this.#list(`${location}/contracts`, contractView);
  }

  async events(location: string): Promise<readonly JobEvent[]> {
    return this.#list(`${location}/events`, eventViewSchema);
  }

  async results(location: string): Promise<readonly z.infer<typeof resultView>[]> {
    return this.#list(`${location}/results`, resultView);
  }

  async resources(): Promise<ResourcesView> {
    return resourcesView.parse(await this.#json('/dms/resources'));
  }

  async status(): Promise<StatusView> {
    return statusView.parse(await this.#json('/dms/status'));
  }

  async peers(): Promise<readonly PeerView[]> {
    return this.#list('/dms/peers', peerView);
  }

  async explain(location: string): Promise<ExplanationView> {
    return explanationView.parse(await this.#json(`${location}/explain`));
  }

  /** Searches for a job without posting it. */
  async tryJob(description: unknown): Promise<ExplanationView> {
    const answer = await this.send('POST', '/orchestrator/postJob?dryRun=true', {
      body: JSON.stringify(description),
      headers: { 'content-type': 'application/json' },
    });
    if (answer.status !== 200) throw new Error(`the dry run was refused: ${answer.status} ${answer.body}`);
    return explanationView.parse(JSON.parse(answer.body));
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
        if (line !== undefined) yield eventViewSchema.parse(JSON.parse(line.slice('data:'.length)));
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
