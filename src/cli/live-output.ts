import { jobLog, type LogNeeds, type Stream } from './log-source.ts';
import type { Output } from './output/output.ts';

const STREAMS: readonly Stream[] = ['stdout', 'stderr'];

/** The output of executions as they print it. What is missed here comes with the result. */
export class LiveOutput {
  readonly #needs: LogNeeds;
  readonly #output: Output;
  readonly #jobId: string;
  readonly #stop = new AbortController();
  readonly #shown = new Map<string, number>();
  readonly #running: Promise<void>[] = [];

  constructor(jobId: string, output: Output, needs: LogNeeds) {
    this.#jobId = jobId;
    this.#output = output;
    this.#needs = needs;
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
    const wish = { jobId: this.#jobId, stream, follow: true, execution: executionId };
    try {
      for await (const event of jobLog(wish, this.#needs, this.#stop.signal)) {
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
