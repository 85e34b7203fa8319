import { isCommitted } from '../domain/execution.ts';
import type { Job } from '../domain/job.ts';
import { isTerminalJobState } from '../domain/job.ts';
import type { JobSnapshot } from '../domain/plan.ts';
import { type Clock, type Timer, every } from '../lib/clock.ts';
import type { Liveness } from './serving/liveness.ts';

interface Watched {
  job: Job;
  /** Committed executions and when they were last seen, as stored. */
  executions: ReadonlyMap<string, number>;
  deadlineMs: number;
}

export interface WatchdogNeeds {
  readonly clock: Clock;
  readonly liveness: Liveness;
  readonly evaluate: (job: Job, trigger: 'exec-timeout' | 'job-timeout') => void;
}

/** Looks, at an interval, for jobs past their total time and providers that fell silent, and has them evaluated. */
export class Watchdog {
  readonly #options: { readonly periodMs: number; readonly lostAfterMs: number };
  readonly #needs: WatchdogNeeds;
  readonly #watched = new Map<string, Watched>();
  #timer: Timer | undefined;

  constructor(options: { readonly periodMs: number; readonly lostAfterMs: number }, needs: WatchdogNeeds) {
    this.#options = options;
    this.#needs = needs;
  }

  start(): void {
    this.#timer = every(this.#needs.clock, this.#options.periodMs, () => this.#look());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#watched.clear();
  }

  get openJobs(): number {
    return this.#watched.size;
  }

  /** Takes the newest state of a job; one in an end state is not watched any more. */
  watch(snapshot: JobSnapshot): void {
    const { job } = snapshot;
    const before = this.#watched.get(job.id);
    const committed = snapshot.executions.filter(isCommitted);
    const executions = new Map(committed.map((execution) => [execution.id, execution.lastSeenAt]));
    for (const executionId of before?.executions.keys() ?? []) {
      if (!executions.has(executionId)) this.#needs.liveness.forget(executionId);
    }
    if (isTerminalJobState(job.state)) this.#watched.delete(job.id);
    else
      this.#watched.set(job.id, { job, executions, deadlineMs: job.createdAt + job.spec.timeouts.totalMs });
  }

  #look(): void {
    const now = this.#needs.clock.nowMs();
    for (const { job, executions, deadlineMs } of this.#watched.values()) {
      if (now >= deadlineMs) this.#needs.evaluate(job, 'job-timeout');
      else if (this.#isSilent(executions, now)) this.#needs.evaluate(job, 'exec-timeout');
    }
  }

  #isSilent(executions: ReadonlyMap<string, number>, now: number): boolean {
    for (const [executionId, stored] of executions) {
      if (now - this.#needs.liveness.lastSeenAt(executionId, stored) > this.#options.lostAfterMs) return true;
    }
    return false;
  }
}
