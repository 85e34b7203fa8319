import { assert } from '../../lib/assert.ts';
import { type TrackedEvaluation, compareSuccession } from './tracked-evaluation.ts';

interface JobEntry {
  /** The one that is on its way: ready, in flight or held back. */
  active: TrackedEvaluation | undefined;
  pending: TrackedEvaluation[];
  /** By due time: two that are due together would collapse anyway. */
  readonly delayed: Map<number, TrackedEvaluation>;
}

/** What the broker holds of each job, and the rule that only one evaluation of a job is on its way. */
export class JobIndex {
  readonly #maxWaitingPerJob: number;
  readonly #jobs = new Map<string, JobEntry>();

  constructor(maxWaitingPerJob: number) {
    this.#maxWaitingPerJob = maxWaitingPerJob;
  }

  isActive(jobId: string): boolean {
    return this.#jobs.get(jobId)?.active !== undefined;
  }

  activate(tracked: TrackedEvaluation): void {
    const job = this.#entry(tracked);
    assert(job.active === undefined, 'one evaluation of a job is on its way at a time');
    job.active = tracked;
  }

  /** Lets it wait behind the active one; gives the one that must make room, if any. */
  addPending(tracked: TrackedEvaluation): TrackedEvaluation | undefined {
    const { pending } = this.#entry(tracked);
    pending.push(tracked);
    if (pending.length <= this.#maxWaitingPerJob) return undefined;
    pending.sort(compareSuccession);
    return pending.pop();
  }

  /**
   * Lets it wait for its time; gives the one that must make room, if any. Too many: the last to be due goes, as
   * each evaluation before it asks anew for the times it needs.
   */
  addDelayed(tracked: TrackedEvaluation, dueAtMs: number): TrackedEvaluation | undefined {
    const { delayed } = this.#entry(tracked);
    const rival = delayed.get(dueAtMs);
    if (rival !== undefined && compareSuccession(rival, tracked) < 0) return tracked;
    delayed.set(dueAtMs, tracked);
    if (rival !== undefined || delayed.size <= this.#maxWaitingPerJob) return rival;
    const lastDueAtMs = Math.max(...delayed.keys());
    const last = delayed.get(lastDueAtMs);
    delayed.delete(lastDueAtMs);
    return last;
  }

  removeDelayed(tracked: TrackedEvaluation, dueAtMs: number): void {
    const { jobId } = tracked.evaluation;
    const job = this.#jobs.get(jobId);
    assert(job?.delayed.get(dueAtMs) === tracked, 'a delayed evaluation is in the index of its job');
    job.delayed.delete(dueAtMs);
    this.#dropIfEmpty(jobId, job);
  }

  /** Ends the active one's turn: the best pending one becomes active, the others are superseded. */
  advance(jobId: string): {
    readonly next: TrackedEvaluation | undefined;
    readonly superseded: readonly TrackedEvaluation[];
  } {
    const job = this.#jobs.get(jobId);
    assert(job?.active !== undefined, 'only a job with an evaluation on its way moves on');
    const [next, ...superseded] = job.pending.sort(compareSuccession);
    job.active = next;
    job.pending = [];
    this.#dropIfEmpty(jobId, job);
    return { next, superseded };
  }

  /** Takes out all that wait, pending and delayed. */
  takeWaiting(jobId: string): readonly TrackedEvaluation[] {
    const job = this.#jobs.get(jobId);
    if (job === undefined) return [];
    const waiting = [...job.pending, ...job.delayed.values()];
    job.pending = [];
    job.delayed.clear();
    this.#dropIfEmpty(jobId, job);
    return waiting;
  }

  clear(): void {
    this.#jobs.clear();
  }

  #entry(tracked: TrackedEvaluation): JobEntry {
    const { jobId } = tracked.evaluation;
    const present = this.#jobs.get(jobId);
    if (present !== undefined) return present;
    const job: JobEntry = { active: undefined, pending: [], delayed: new Map() };
    this.#jobs.set(jobId, job);
    return job;
  }

  #dropIfEmpty(jobId: string, job: JobEntry): void {
    if (job.active === undefined && job.pending.length === 0 && job.delayed.size === 0)
      this.#jobs.delete(jobId);
  }
}
