import type { PostedJob } from './posted-job.ts';
import { until } from './until.ts';

const PRINTED_WITHIN_MS = 15_000;

/** Reads a job's log as it grows, until the node ends it. */
export class FollowedLog {
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  #text = '';

  constructor(job: PostedJob) {
    this.#ended = this.#read(job);
    this.#ended.catch(() => {});
  }

  async reads(text: string): Promise<void> {
    await until(`the log says ${text}`, PRINTED_WITHIN_MS, () => this.#text.includes(text));
  }

  /** Settles when the node has ended the stream; rejects when it broke. */
  ends(): Promise<void> {
    return this.#ended;
  }

  abandon(): void {
    this.#stop.abort();
  }

  async #read(job: PostedJob): Promise<void> {
    const decoder = new TextDecoder();
    const address = new URL(`/orchestrator/jobs/${job.id}/logs?follow=true`, job.url());
    const response = await fetch(address, { signal: this.#stop.signal });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    for await (const bytes of response.body ?? []) this.#text += decoder.decode(bytes, { stream: true });
  }
}
