import type { ApiClient } from './api-client.ts';
import type { Output } from './output/output.ts';

export type Stream = 'stdout' | 'stderr';

const STREAMS: readonly Stream[] = ['stdout', 'stderr'];

/** The output of executions as they print it. What is missed here comes with the result. */
export class LiveOutput {
  readonly #client: ApiClient;
  readonly #output: Output;
  readonly #path: string;
  readonly #stop = new AbortController();
  readonly #shown = new Map<string, number>();
  readonly #running: Promise<void>[] = [];

  constructor(client: ApiClient, output: Output, path: string) {
    this.#client = client;
    this.#output = output;
    this.#path = path;
  }

  show(executionId: string): void {
    for (const stream of STREAMS) this.#running.push(this.#copy(executionId, stream));
  }

  /** How many bytes of an execution's stream a person has seen already. */
  shownBytes(executionId: string, stream: Stream): number {
    return this.#shown.get(`${executionId} ${stream}`) ?? 0;
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
  }

  async #copy(executionId: string, stream: Stream): Promise<void> {
    const query = new URLSearchParams({ follow: 'true', stream, execution: executionId });
    try {
      const { body } = await this.#client.request(`${this.#path}?${query.toString()}`, {
        signal: this.#stop.signal,
      });
      const chunks: ReadableStream<Uint8Array> | null = body;
      for await (const chunk of chunks ?? []) {
        await (stream === 'stdout' ? this.#output.bytes(chunk) : this.#output.errorBytes(chunk));
        this.#shown.set(`${executionId} ${stream}`, this.shownBytes(executionId, stream) + chunk.length);
      }
    } catch {
      // The log stream may break off at any time: the result, once it is here, has every byte of it.
    }
  }
}
