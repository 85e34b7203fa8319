import type { Hono } from 'hono';
import type { ApiNeeds, NodeView } from '../../../src/api/index.ts';
import { type ApiOptions, apiDefaults } from '../../../src/api/options.ts';
import { createApp } from '../../../src/api/app.ts';
import { RequestBodies } from '../../../src/api/body.ts';
import { OpenBodies } from '../../../src/api/open-bodies.ts';
import { ApiCounters } from '../../../src/api/counters.ts';
import { DocumentReader } from '../../../src/api/document-reader.ts';
import { OpenStreams } from '../../../src/api/streams.ts';
import type { ContentStore, StoredFile } from '../../../src/content/index.ts';
import type { Explanation } from '../../../src/domain/explain/explanation.ts';
import type { JobDescription } from '../../../src/domain/job/job-description.ts';
import type { JobEvent } from '../../../src/domain/job/job-event.ts';
import type { JobSnapshot } from '../../../src/domain/job/plan.ts';
import { type GpuDevice, NO_RESOURCES } from '../../../src/domain/units/resources.ts';
import { rawContentIdOf } from '../../../src/lib/canonical.ts';
import { CodedError } from '../../../src/lib/coded-error.ts';
import { plainCalendar } from '../fakes/plain-calendar.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import type { JobLogsOptions, LogPart, Orchestrator, PostOptions } from '../../../src/orchestrator/index.ts';
import type { JobFilter, JobPage, RequesterHandler } from '../../../src/orchestrator/ports.ts';
import { checkDocumented } from './documented-refusal.ts';
import { explanation, jobSnapshot, peerAdvert } from './samples.ts';

const DESK: RequesterHandler = {
  servingList: () => Promise.reject(new Error('not part of the API')),
  mayRead: () => Promise.reject(new Error('not part of the API')),
};

/** What an execution prints at a place of its output. */
export function printed(text: string, offset = 0, executionId = 'job-1.v1.p0r0.a1'): LogPart {
  return { kind: 'output', executionId, offset, bytes: new TextEncoder().encode(text) };
}

export const logEnd: Extract<LogPart, { kind: 'end' }> = {
  kind: 'end',
  jobState: 'Completed',
  executionId: 'job-1.v1.p0r0.a1',
  exitReason: 'completed',
  exitCode: 0,
};

export function attemptPart(attempt: number, offset = 0): LogPart {
  const executionId = `job-1.v1.p0r0.a${attempt}`;
  return { kind: 'attempt', executionId, partition: 0, attempt, provider: 'peer-a', offset };
}

/** An orchestrator that answers what the test puts into it and remembers what it was asked. */
export class ScriptedOrchestrator implements Orchestrator {
  readonly handler = DESK;
  readonly posted: { readonly description: JobDescription; readonly options: PostOptions }[] = [];
  readonly cancelled: string[] = [];
  readonly snapshots = new Map<string, JobSnapshot>([['job-1', jobSnapshot()]]);
  readonly filters: JobFilter[] = [];
  readonly logRequests: JobLogsOptions[] = [];
  page: JobPage = { items: [] };
  log: (signal: AbortSignal, options: JobLogsOptions) => AsyncIterable<LogPart> = async function* () {};
  resultList: { readonly executionId: string; readonly partition: number; readonly cid: string }[] = [];
  searchList: Awaited<ReturnType<Orchestrator['searches']>> = [];
  contractList: Awaited<ReturnType<Orchestrator['contracts']>> = [];
  readonly tried: JobDescription[] = [];
  explanation: Explanation = explanation();
  refusal: Error | undefined;
  readonly #events: JobEvent[] = [];
  readonly #watchers = new Set<(events: readonly JobEvent[]) => void>();

  get watchers(): number {
    return this.#watchers.size;
  }

  commit(...events: readonly JobEvent[]): void {
    this.#events.push(...events);
    for (const watcher of this.#watchers) watcher(events);
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {}

  async postJob(
    description: JobDescription,
    options: PostOptions,
  ): Promise<{ jobId: string; repeated: boolean }> {
    if (this.refusal !== undefined) throw this.refusal;
    this.posted.push({ description, options });
    return { jobId: 'job-1', repeated: false };
  }

  async cancelJob(jobId: string): Promise<void> {
    if (this.refusal !== undefined) throw this.refusal;
    this.cancelled.push(jobId);
  }

  async job(jobId: string): Promise<JobSnapshot | undefined> {
    return this.snapshots.get(jobId);
  }

  async jobs(filter: JobFilter): Promise<JobPage> {
    this.filters.push(filter);
    return this.page;
  }

  async searches(): ReturnType<Orchestrator['searches']> {
    return this.searchList;
  }

  async contracts(): ReturnType<Orchestrator['contracts']> {
    return this.contractList;
  }

  async events(_jobId: string, afterSeq: number, limit: number): Promise<readonly JobEvent[]> {
    return this.#events.filter((event) => event.seq > afterSeq).slice(0, limit);
  }

  watch(_jobId: string, listener: (events: readonly JobEvent[]) => void): () => void {
    this.#watchers.add(listener);
    return () => this.#watchers.delete(listener);
  }

  roomFreed(): void {}

  scheduling(): never {
    throw new Error('not part of the API');
  }

  async explain(): Promise<Explanation> {
    return this.explanation;
  }

  async dryRun(description: JobDescription): Promise<Explanation> {
    if (this.refusal !== undefined) throw this.refusal;
    this.tried.push(description);
    return this.explanation;
  }

  logs(_jobId: string, options: JobLogsOptions, signal: AbortSignal): AsyncIterable<LogPart> {
    this.logRequests.push(options);
    return this.log(signal, options);
  }

  async results(): ReturnType<Orchestrator['results']> {
    return this.resultList;
  }
}

/** Content in memory; a directory is a map of paths under one id. */
export class ScriptedContent implements ContentStore {
  readonly files = new Map<string, Uint8Array>();
  readonly folders = new Map<string, ReadonlyMap<string, Uint8Array>>();
  readonly publicIds = new Set<string>();
  /** What was here once. */
  readonly gone = new Set<string>();
  quotaBytes = Number.POSITIVE_INFINITY;
  refusal: Error | undefined;

  async requireRoom(): Promise<void> {
    if (this.refusal !== undefined) throw this.refusal;
  }

  room(): { freeBytes: number; quotaBytes: number } {
    return { freeBytes: this.quotaBytes, quotaBytes: this.quotaBytes };
  }

  async put(
    source: Uint8Array | AsyncIterable<Uint8Array>,
    options?: { readonly public?: boolean },
  ): Promise<{ cid: string; size: number }> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of source instanceof Uint8Array ? [source] : source) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > this.quotaBytes && this.refusal !== undefined) throw this.refusal;
    }
    const bytes = Buffer.concat(chunks);
    const cid = rawContentIdOf(bytes);
    this.files.set(cid, bytes);
    if (options?.public === true) this.publicIds.add(cid);
    return { cid, size };
  }

  async open(cid: string, path?: string): Promise<StoredFile | undefined> {
    const bytes = path === undefined ? this.files.get(cid) : this.folders.get(cid)?.get(path);
    if (bytes === undefined) return undefined;
    return {
      size: bytes.length,
      bytes: (async function* () {
        yield bytes;
      })(),
    };
  }

  async tree(cid: string): ReturnType<ContentStore['tree']> {
    if (this.gone.has(cid)) throw new CodedError('CONTENT_UNAVAILABLE', 'It is not here.');
    return [...(this.folders.get(cid) ?? [])].map(([path, bytes]) => ({
      path,
      cid: rawContentIdOf(bytes),
      size: bytes.length,
    }));
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {}

  async sizeOf(cid: string): Promise<number | undefined> {
    return this.files.get(cid)?.length;
  }

  async isPublic(cid: string): Promise<boolean> {
    return this.publicIds.has(cid);
  }

  draft(): never {
    throw new Error('not part of the API');
  }

  serve(): never {
    throw new Error('not part of the API');
  }

  fetch(): never {
    throw new Error('not part of the API');
  }

  exportFile(): never {
    throw new Error('not part of the API');
  }

  importTree(): never {
    throw new Error('not part of the API');
  }

  pin(): never {
    throw new Error('not part of the API');
  }

  unpin(): never {
    throw new Error('not part of the API');
  }
}

export interface ScriptedView {
  ready: { ok: boolean; reasons: readonly string[] };
  offersNothing: string | undefined;
  draining: boolean;
  gpus: readonly GpuDevice[];
}

export interface ScriptedNode extends ApiNeeds {
  readonly orchestrator: ScriptedOrchestrator;
  readonly content: ScriptedContent;
  readonly view: ScriptedView;
}

export function scriptedNode(): ScriptedNode {
  const view: ScriptedView = {
    ready: { ok: true, reasons: [] },
    offersNothing: undefined,
    draining: false,
    gpus: [],
  };
  const node: NodeView = {
    status: () => ({
      peerId: 'peer-self',
      did: 'did:key:self',
      network: 'bidmesh-test',
      version: '0.1.0',
      multiaddrs: ['/ip4/127.0.0.1/tcp/4001'],
      peers: 2,
      openNetwork: true,
      draining: view.draining,
    }),
    setDraining: async (draining) => {
      if (view.offersNothing !== undefined) throw new CodedError('OFFERS_NOTHING', view.offersNothing);
      view.draining = draining;
    },
    resources: () => ({
      ...(view.offersNothing === undefined ? {} : { offersNothing: view.offersNothing }),
      draining: view.draining,
      price: { amount: '0.02', currency: 'USD', per: 'hour' },
      machine: { cpuMillis: 2000, memoryBytes: 4096, diskBytes: 8192, gpus: view.gpus },
      onboarded: { cpuMillis: 1600, memoryBytes: 3072, diskBytes: 4096, gpus: [] },
      locked: NO_RESOURCES,
      allocated: NO_RESOURCES,
      free: { cpuMillis: 1600, memoryBytes: 3072, diskBytes: 4096, gpus: [] },
      leases: [
        {
          lockId: 'lock-1',
          holder: 'peer-requester',
          jobId: 'job-1',
          executionId: 'job-1.v1.p0r0.a1',
          resources: NO_RESOURCES,
          version: 7,
          acquiredAt: Date.UTC(2030, 0, 2),
          ttlMs: 30_000,
          state: 'held',
        },
      ],
    }),
    peers: () => [
      {
        peerId: 'peer-a',
        connected: true,
        multiaddrs: [],
        ...peerAdvert(),
        lastSeenAt: Date.UTC(2030, 0, 3),
        expiresAt: Date.UTC(2030, 0, 4),
      },
      { peerId: 'peer-b', connected: false, multiaddrs: [] },
    ],
    ready: () => view.ready,
  };
  return {
    orchestrator: new ScriptedOrchestrator(),
    content: new ScriptedContent(),
    node,
    view,
    metrics: { contentType: 'text/plain; version=0.0.4', metrics: async () => 'bidmesh_jobs 1\n' },
    clock: systemClock,
    calendar: plainCalendar,
    logger: silentLogger,
  };
}

export interface InProcessApi {
  readonly app: Hono;
  readonly streams: OpenStreams;
  readonly counters: () => Readonly<Record<string, number>>;
  /** A request as a local program makes it. */
  readonly request: (path: string, init?: RequestInit & { duplex?: 'half' }) => Promise<Response>;
}

export function inProcess(needs: ApiNeeds, changes: Partial<ApiOptions> = {}): InProcessApi {
  const options = { ...apiDefaults, ...changes };
  const streams = new OpenStreams(options.maxStreams);
  const bodies = new RequestBodies(needs.clock, options, new OpenBodies(needs.clock, options));
  const documents = new DocumentReader(needs.clock, options);
  const counters = new ApiCounters();
  const app = createApp({ ...needs, options, streams, documents, bodies, counters });
  return {
    app,
    streams,
    counters: () => counters.snapshot(),
    request: async (path, init = {}) => {
      const headers = new Headers(init.headers);
      if (!headers.has('host')) headers.set('host', 'localhost:9999');
      const address = `http://localhost:9999${path}`;
      const response = await app.request(address, { ...init, headers });
      await checkDocumented(init.method ?? 'GET', address, response);
      return response;
    },
  };
}

export function jsonPost(body: unknown, headers: Readonly<Record<string, string>> = {}): RequestInit {
  return {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  };
}

export function yamlPost(body: string): RequestInit {
  return { method: 'POST', body, headers: { 'content-type': 'application/yaml' } };
}
