import type { JobInput } from '../openapi/job-input.ts';
import { operations } from '../openapi/operations.ts';
import type { BidPage } from '../openapi/shapes/bid.ts';
import type { ContractPage } from '../openapi/shapes/contract.ts';
import type { JobEvent } from '../openapi/shapes/event.ts';
import type { Explanation } from '../openapi/shapes/explanation.ts';
import type { Job, JobPage } from '../openapi/shapes/job.ts';
import type { Drained, Liveness, Readiness, Status } from '../openapi/shapes/node.ts';
import type { PeerPage } from '../openapi/shapes/peer.ts';
import type { Resources } from '../openapi/shapes/resources.ts';
import type { ResultPage, StoredBlob } from '../openapi/shapes/result.ts';
import type { QueryOf } from './addresses.ts';
import { type ClientOptions, Connection } from './connection.ts';
import { jobEvents, type JobEventsOptions } from './job-events.ts';
import { jobLogs, type JobLogsOptions, type LogEvent } from './job-logs.ts';

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface PostOptions extends CallOptions {
  /** The same key with the same job posts it only once. */
  readonly idempotencyKey?: string | undefined;
}

/** A job description as a value, or as text that the node reads. */
export type PostedText = JobInput | { readonly json: string } | { readonly yaml: string };

const { postJob } = operations;

/**
 * A node, with one call for each operation of its HTTP interface, under the operation's id. Each throws a `ProblemError`
 * where the node refuses, and a `CodedError` where there is no answer of a node.
 */
export class BidmeshClient {
  readonly #node: Connection;

  constructor(options: ClientOptions) {
    this.#node = new Connection(options);
  }

  /** Posts a job; it is on the node's disk when the id comes. With `dryRun` only searches for it. */
  postJob(job: PostedText, options: PostOptions & { readonly dryRun: true }): Promise<Explanation>;
  postJob(job: PostedText, options?: PostOptions): Promise<{ readonly id: string }>;
  async postJob(
    job: PostedText,
    { idempotencyKey, dryRun, signal }: PostOptions & { readonly dryRun?: true } = {},
  ): Promise<Explanation | { readonly id: string }> {
    const { text, type } = textOf(job);
    const call = {
      headers: {
        'content-type': type,
        ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
      },
      query: { dryRun },
      body: text,
      signal,
    };
    if (dryRun === true) return await this.#node.json(postJob, postJob.answers[200].json, call);
    const response = await this.#node.send(postJob, call);
    const id = response.headers.get('location')?.split('/').at(-1);
    if (id === undefined || id === '') throw this.#node.unexpected('took the job without saying where it is');
    return { id: decodeURIComponent(id) };
  }

  listJobs(query: QueryOf<typeof operations.listJobs> = {}, { signal }: CallOptions = {}): Promise<JobPage> {
    const { listJobs } = operations;
    return this.#node.json(listJobs, listJobs.answers[200].json, { query, signal });
  }

  getJob(id: string, { signal }: CallOptions = {}): Promise<Job> {
    const { getJob } = operations;
    return this.#node.json(getJob, getJob.answers[200].json, { path: { id }, signal });
  }

  listBids(id: string, { signal }: CallOptions = {}): Promise<BidPage> {
    const { listBids } = operations;
    return this.#node.json(listBids, listBids.answers[200].json, { path: { id }, signal });
  }

  explainJob(id: string, { signal }: CallOptions = {}): Promise<Explanation> {
    const { explainJob } = operations;
    return this.#node.json(explainJob, explainJob.answers[200].json, { path: { id }, signal });
  }

  listContracts(id: string, { signal }: CallOptions = {}): Promise<ContractPage> {
    const { listContracts } = operations;
    return this.#node.json(listContracts, listContracts.answers[200].json, { path: { id }, signal });
  }

  /** Asks for the end of a job; the wish is on the node's disk when this is over. */
  async cancelJob(id: string, { signal }: CallOptions = {}): Promise<void> {
    await this.#node.text(await this.#node.send(operations.cancelJob, { path: { id }, signal }), signal);
  }

  /** What happened to a job, in order: see {@link JobEventsOptions}. */
  jobEvents(id: string, options: JobEventsOptions = {}): AsyncGenerator<JobEvent> {
    return jobEvents(this.#node, id, options);
  }

  /** What the programs of a job print: see {@link JobLogsOptions}. */
  jobLogs(id: string, options: JobLogsOptions = {}): AsyncGenerator<LogEvent> {
    return jobLogs(this.#node, id, options);
  }

  /** A page of result files; `newestResults` reads them all. */
  listResults(
    id: string,
    query: QueryOf<typeof operations.listResults> = {},
    { signal }: CallOptions = {},
  ): Promise<ResultPage> {
    const { listResults } = operations;
    return this.#node.json(listResults, listResults.answers[200].json, { path: { id }, query, signal });
  }

  /** The bytes of a result file as they come. Where there are several partitions its path begins with one: `p3/stdout`. */
  async getResultFile(
    id: string,
    path: string,
    options: CallOptions = {},
  ): Promise<AsyncIterable<Uint8Array>> {
    const { signal } = options;
    return this.#node.bytes(
      await this.#node.send(operations.getResultFile, { path: { id, path }, signal }),
      signal,
    );
  }

  getStatus({ signal }: CallOptions = {}): Promise<Status> {
    const { getStatus } = operations;
    return this.#node.json(getStatus, getStatus.answers[200].json, { signal });
  }

  getResources({ signal }: CallOptions = {}): Promise<Resources> {
    const { getResources } = operations;
    return this.#node.json(getResources, getResources.answers[200].json, { signal });
  }

  listPeers({ signal }: CallOptions = {}): Promise<PeerPage> {
    const { listPeers } = operations;
    return this.#node.json(listPeers, listPeers.answers[200].json, { signal });
  }

  drain({ signal }: CallOptions = {}): Promise<Drained> {
    const { drain } = operations;
    return this.#node.json(drain, drain.answers[200].json, { signal });
  }

  undrain({ signal }: CallOptions = {}): Promise<Drained> {
    const { undrain } = operations;
    return this.#node.json(undrain, undrain.answers[200].json, { signal });
  }

  uploadBlob(
    body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>,
    query: QueryOf<typeof operations.uploadBlob> = {},
    { signal }: CallOptions = {},
  ): Promise<StoredBlob> {
    const { uploadBlob } = operations;
    const headers = { 'content-type': 'application/octet-stream' };
    return this.#node.json(uploadBlob, uploadBlob.answers[201].json, { query, headers, body, signal });
  }

  async downloadBlob(cid: string, { signal }: CallOptions = {}): Promise<AsyncIterable<Uint8Array>> {
    return this.#node.bytes(
      await this.#node.send(operations.downloadBlob, { path: { cid }, signal }),
      signal,
    );
  }

  getLiveness({ signal }: CallOptions = {}): Promise<Liveness> {
    const { getLiveness } = operations;
    return this.#node.json(getLiveness, getLiveness.answers[200].json, { signal });
  }

  /** A node that is not ready says why. */
  getReadiness({ signal }: CallOptions = {}): Promise<Readiness> {
    const { getReadiness } = operations;
    return this.#node.json(getReadiness, getReadiness.answers[200].json, { signal });
  }

  async getMetrics({ signal }: CallOptions = {}): Promise<string> {
    return this.#node.text(await this.#node.send(operations.getMetrics, { signal }), signal);
  }
}

function textOf(job: PostedText): { readonly text: string; readonly type: string } {
  if ('yaml' in job) return { text: job.yaml, type: 'application/yaml' };
  return { text: 'json' in job ? job.json : JSON.stringify(job), type: 'application/json' };
}
