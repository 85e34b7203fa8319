import type { JobSnapshot } from '../domain/job/plan.ts';
import type { Chance } from '../lib/chance.ts';
import type { Clock } from '../lib/clock.ts';
import { KeyedLane } from '../lib/keyed-lane.ts';
import { retryOn } from '../lib/retry.ts';
import type { JobCommit, JobStore } from './ports.ts';

export type JobChange = Omit<JobCommit, 'jobId' | 'revision'>;
export type JobRecords = Pick<JobStore, 'newest' | 'begin' | 'newestContract' | 'settled'>;

export interface JobLaneNeeds {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly store: JobRecords;
  /** Aborted when the node stops. */
  readonly signal: AbortSignal;
}

/** A fact is not told twice, so it waits for a store that is busy. A conflict means that somebody wrote past the lane. */
const WORTH_REPEATING = ['STORE_BUSY', 'REVISION_CONFLICT'];
const REPEAT = { firstMs: 20, longestMs: 2000, factor: 2 };

/**
 * The one way to a job: its changes come one after the other, each decided on what the one before makes of the job,
 * also while that is still being written.
 */
export class JobLane {
  readonly #needs: JobLaneNeeds;
  readonly #lane = new KeyedLane();

  constructor(needs: JobLaneNeeds) {
    this.#needs = needs;
  }

  /**
   * Commits what `decide` makes of the job, and returns the new state once it is durable; undefined when there is
   * no such job or `decide` found nothing to change. `decide` may run again, so it must be pure. `onBegun` is called
   * before anything is on disk: it may have the job looked at, and what follows is written behind this change.
   */
  async change(
    jobId: string,
    decide: (snapshot: JobSnapshot) => JobChange | undefined,
    onBegun: (after: JobSnapshot) => void = () => {},
  ): Promise<JobSnapshot | undefined> {
    const { store } = this.#needs;
    const pending = await this.#lane.run(jobId, () =>
      retryOn(WORTH_REPEATING, REPEAT, this.#needs, async () => {
        const snapshot = await store.newest(jobId);
        const change = snapshot === undefined ? undefined : decide(snapshot);
        if (snapshot === undefined || change === undefined) return undefined;
        return await store.begin({ ...change, jobId, revision: snapshot.revision });
      }),
    );
    if (pending === undefined) return undefined;
    onBegun(pending.after);
    await pending.durable;
    return pending.after;
  }

  /** Gives `work` the job for itself: until it is done no other change of the job is made. */
  alone<T>(jobId: string, work: (store: JobRecords) => Promise<T>): Promise<T> {
    return this.#lane.run(jobId, () => work(this.#needs.store));
  }
}
