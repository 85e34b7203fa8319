import { type Execution, isCommitted } from '../domain/market/execution.ts';
import { type Job, isTerminalJobState } from '../domain/job/job.ts';
import type { JobSnapshot } from '../domain/job/plan.ts';
import { type Clock, type Timer, every } from '../lib/clock.ts';
import { overdueAt } from './schedulers/deadlines.ts';
import type { Liveness } from './serving/liveness.ts';

interface Watched {
  readonly job: Job;
  readonly revision: number;
  readonly committed: readonly Execution[];
  readonly deadlineMs: number;
  /** The first time at which one of its executions is overdue. */
  readonly overdueMs: number;
}

export interface WatchdogOptions {
  readonly periodMs: number;
  readonly lostAfterMs: number;
}

export interface WatchdogNeeds {
  readonly clock: Clock;
  readonly liveness: Pick<Liveness, 'lastSeenAt'>;
  readonly evaluate: (job: Job, trigger: 'exec-timeout' | 'job-timeout') => void;
  /** An execution that was under contract is so no more. */
  readonly onOver: (executionId: string) => void;
  /** Called at each look. */
  readonly onLook: readonly (() => void)[];
}

/** Looks, at an interval, for what no fact tells: jobs and executions past their time, and silent providers. */
export class Watchdog {
  readonly #options: WatchdogOptions;
  readonly #needs: WatchdogNeeds;
  readonly #watched = new Map<string, Watched>();
  #timer: Timer | undefined;

  constructor(options: WatchdogOptions, needs: WatchdogNeeds) {
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

  /** Takes the newest state of a job; one in an end state is not watched any more, an older state is ignored. */
  watch({ job, executions, revision }: JobSnapshot): void {
    const before = this.#watched.get(job.id);
    if (before !== undefined && before.revision > revision) return;
    const committed = executions.filter(isCommitted);
    const ids = new Set(committed.map(({ id }) => id));
    for (const { id } of before?.committed ?? []) if (!ids.has(id)) this.#needs.onOver(id);
    if (isTerminalJobState(job.state)) {
      this.#watched.delete(job.id);
      return;
    }
    const { timeouts } = job.spec;
    this.#watched.set(job.id, {
      job,
      revision,
      committed,
      deadlineMs: job.createdAt + timeouts.totalMs,
      overdueMs: Math.min(...committed.map((execution) => overdueAt(execution, timeouts))),
    });
  }

  #look(): void {
    const now = this.#needs.clock.livedMs();
    for (const watched of this.#watched.values()) {
      if (now >= watched.deadlineMs) this.#needs.evaluate(watched.job, 'job-timeout');
      else if (
        now >= watched.overdueMs ||
        watched.committed.some((execution) => this.#isSilent(execution, now))
      )
        this.#needs.evaluate(watched.job, 'exec-timeout');
    }
    for (const look of this.#needs.onLook) look();
  }

  #isSilent({ id, lastSeenAt }: Execution, now: number): boolean {
    return now - this.#needs.liveness.lastSeenAt(id, lastSeenAt) > this.#options.lostAfterMs;
  }
}
