import type { TrackedEvaluation } from './tracked-evaluation.ts';

/** The newest dead letter of each job, oldest first. */
export class DeadLetters {
  readonly #byJob = new Map<string, TrackedEvaluation>();

  /** Gives the older one of the same job, if there is one: it is out. */
  add(tracked: TrackedEvaluation): TrackedEvaluation | undefined {
    const { jobId } = tracked.evaluation;
    const older = this.#byJob.get(jobId);
    this.#byJob.delete(jobId);
    this.#byJob.set(jobId, tracked);
    return older;
  }

  take(): TrackedEvaluation | undefined {
    const tracked = this.#byJob.values().next().value;
    if (tracked !== undefined) this.#byJob.delete(tracked.evaluation.jobId);
    return tracked;
  }

  clear(): void {
    this.#byJob.clear();
  }
}
