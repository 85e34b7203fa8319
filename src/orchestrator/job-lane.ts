import { CodedError, codeOf } from '../lib/coded-error.ts';
import { KeyedLane } from '../lib/keyed-lane.ts';
import type { JobSnapshot } from '../domain/plan.ts';
import type { JobCommit, JobStore } from './ports.ts';

export type JobChange = Omit<JobCommit, 'jobId' | 'revision'>;

const MOST_CONFLICTS = 20;

/**
 * The way facts reach a job: one change after the other per job, each decided on the newest durable state and
 * written conditionally on it.
 */
export class JobLane {
  readonly #store: Pick<JobStore, 'snapshot' | 'commit'>;
  readonly #lane = new KeyedLane();

  constructor(store: Pick<JobStore, 'snapshot' | 'commit'>) {
    this.#store = store;
  }

  /**
   * Commits what `decide` makes of the job, and returns the new state; undefined when there is no such job or
   * `decide` found nothing to change. `decide` may run again after a lost race, so it must be pure.
   */
  change(
    jobId: string,
    decide: (snapshot: JobSnapshot) => JobChange | undefined,
  ): Promise<JobSnapshot | undefined> {
    return this.#lane.run(jobId, async () => {
      for (let conflicts = 0; conflicts < MOST_CONFLICTS; conflicts += 1) {
        const snapshot = await this.#store.snapshot(jobId);
        const change = snapshot === undefined ? undefined : decide(snapshot);
        if (snapshot === undefined || change === undefined) return undefined;
        try {
          return await this.#store.commit({ ...change, jobId, revision: snapshot.revision });
        } catch (error) {
          if (codeOf(error) !== 'REVISION_CONFLICT') throw error;
        }
      }
      throw new CodedError('REVISION_CONFLICT', `Job ${jobId} changes faster than it can be written.`);
    });
  }

  /** Commits a plan on the very revision it was made on, in turn with the facts. Throws `REVISION_CONFLICT`. */
  commit(commit: JobCommit): Promise<JobSnapshot> {
    return this.#lane.run(commit.jobId, () => this.#store.commit(commit));
  }
}
