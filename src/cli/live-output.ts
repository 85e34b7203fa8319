import type { BidmeshClient, LogStream } from '../client/index.ts';
import type { Output } from './output/output.ts';

const STREAMS: readonly LogStream[] = ['stdout', 'stderr'];

/** The output of executions as they print it. What is missed here comes with the result. */
export class LiveOutput {
  readonly #client: BidmeshClient;
  readonly #output: Output;
  readonly #jobId: string;
  readonly #stop = new AbortController();
  readonly #shown = new Map<string, number>();
  readonly #running: Promise<void>[] = [];

  constructor(jobId: string, output: Output, client: BidmeshClient) {
    this.#jobId = jobId;
    this.#output = output;
    this.#client = client;
  }

  show(executionId: string): void {
    for (const stream of STREAMS) this.#running.push(this.#copy(executionId, stream));
  }

  /** How many bytes of an execution's stream a person has seen already. */
  shownBytes(executionId: string, stream: LogStream): number {
    return this.#shown.get(`${executionId} ${stream}`) ?? 0;
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
  }

  async #copy(executionId: string, stream: LogStream): Promise<void> {
    const wish = { stream, follow: true, execution: executionId, signal: this.#stop.signal };
    try {
      for await (const event of this.#client.jobLogs(this.#jobId, wish)) {
        if (event.type !== 'output') continue;
        const { bytes } = event;
        await (stream === 'stdout' ? this.#output.bytes(bytes) : this.#output.errorBytes(bytes));
        this.#shown.set(`${executionId} ${stream}`, this.shownBytes(executionId, stream) + bytes.length);
      }
    } catch {
      // The log stream may break off at any time: the result, once it is here, has every byte of it.
    }
  }
}
