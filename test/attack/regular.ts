import { setTimeout as wait } from 'node:timers/promises';
import { noopModule } from '../fixtures/wasm-modules.ts';
import { benchClient } from '../bench/nodes.ts';

/** A job without an end counts as having taken this long. */
const GIVEN_UP_MS = 15_000;
/** What is still under way when the user stops posting is waited for this long. */
const LAST_WAIT_MS = 2000;
const LOOK_MS = 20;

export interface JobTime {
  readonly postedAtMs: number;
  /** From its post to its end; up to now when it was given up. */
  readonly tookMs: number;
  readonly completed: boolean;
}

/** The user of the requester: posts small jobs at a steady pace, however long those before take. */
export class Regular {
  readonly #everyMs: number;
  readonly #jobs: JobTime[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #module: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #cut = new AbortController();

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  async start(api: string): Promise<void> {
    this.#module ??= (await benchClient(api).uploadBlob(noopModule())).cid;
    this.#cut = new AbortController();
    this.#timer = setInterval(() => {
      const job = this.#one(api).finally(() => this.#underWay.delete(job));
      this.#underWay.add(job);
    }, this.#everyMs);
  }

  /** Whoever has no job done in a quiet network has nothing to measure. */
  async haveOneDone(longestMs: number): Promise<void> {
    const untilMs = performance.now() + longestMs;
    while (!this.#jobs.some(({ completed }) => completed)) {
      if (performance.now() > untilMs) throw new Error('no job was done, and nobody attacks yet');
      await wait(LOOK_MS);
    }
  }

  /** Gives up what is not done soon. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    const cut = setTimeout(() => this.#cut.abort(), LAST_WAIT_MS);
    await Promise.all(this.#underWay);
    clearTimeout(cut);
  }

  /** The jobs that were posted in a span of time and have come to their end, by when they were posted. */
  posted(fromMs: number, toMs = Number.POSITIVE_INFINITY): JobTime[] {
    return this.#jobs
      .filter(({ postedAtMs }) => postedAtMs >= fromMs && postedAtMs < toMs)
      .toSorted((a, b) => a.postedAtMs - b.postedAtMs);
  }

  async #one(api: string): Promise<void> {
    const postedAtMs = performance.now();
    const signal = AbortSignal.any([this.#cut.signal, AbortSignal.timeout(GIVEN_UP_MS)]);
    let completed = false;
    try {
      const job = {
        engine: { type: 'wasm', params: { module: { cid: this.#module } } },
        resources: { cpu: '100m', memory: '64MiB', disk: '1MiB' },
      };
      const client = benchClient(api);
      const { id } = await client.postJob({ json: JSON.stringify(job) }, { signal });
      for await (const { type } of client.jobEvents(id, { signal })) {
        completed = type === 'job.completed';
        if (completed || type === 'job.failed') break;
      }
    } catch {
      // Given up, or the node did not take it.
    }
    // A job that failed was not done, however early that was known.
    const tookMs = performance.now() - postedAtMs;
    this.#jobs.push({ postedAtMs, tookMs: completed ? tookMs : Math.max(tookMs, LAST_WAIT_MS), completed });
  }
}
