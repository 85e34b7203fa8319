import type { JobEvent } from '../domain/job/job-event.ts';
import { CodedError, messageOf } from '../lib/coded-error.ts';
import type { Logger } from '../lib/logger.ts';

export type JobListener = (events: readonly JobEvent[]) => void;

/** Who wants to hear of which job. */
export class Watchers {
  readonly #most: number;
  readonly #logger: Logger;
  readonly #listeners = new Map<string, Set<{ readonly call: JobListener }>>();
  #count = 0;

  constructor(most: number, logger: Logger) {
    this.#most = most;
    this.#logger = logger;
  }

  /** Throws `TOO_MANY_WATCHERS`. */
  add(jobId: string, call: JobListener): () => void {
    if (this.#count >= this.#most) {
      throw new CodedError('TOO_MANY_WATCHERS', 'Too many followers of jobs are open. Close some of them.');
    }
    const listener = { call };
    const ofJob = this.#listeners.get(jobId) ?? new Set();
    this.#listeners.set(jobId, ofJob.add(listener));
    this.#count += 1;
    return () => {
      if (!ofJob.delete(listener)) return;
      this.#count -= 1;
      if (ofJob.size === 0) this.#listeners.delete(jobId);
    };
  }

  /** A listener that throws is logged and keeps nobody else from hearing. */
  notify(jobId: string, events: readonly JobEvent[]): void {
    const present = [...(this.#listeners.get(jobId) ?? [])];
    for (const listener of present) {
      try {
        listener.call(events);
      } catch (error) {
        this.#logger.error('a follower of a job failed', { jobId, error: messageOf(error) });
      }
    }
  }
}
