import type { Evaluation } from '../../domain/job/evaluation.ts';
import type { Clock } from '../../lib/clock.ts';
import { CodedError } from '../../lib/coded-error.ts';
import type { JobLane } from '../job-lane.ts';
import type { OrchestratorLimits } from '../options.ts';
import type { Planner } from '../planners/planner.ts';
import type { RoomWatch } from '../search/room-watch.ts';
import type { SearchDispatcher } from '../search/search-dispatcher.ts';
import type { Liveness } from '../serving/liveness.ts';
import { reconcileBatch } from '../schedulers/batch.ts';

export interface BatchSchedulerNeeds {
  readonly clock: Clock;
  readonly lane: Pick<JobLane, 'alone'>;
  readonly liveness: Pick<Liveness, 'lastSeenAt'>;
  readonly searches: Pick<SearchDispatcher, 'openNegotiations'>;
  readonly planner: Pick<Planner, 'carryOut'>;
  readonly room: Pick<RoomWatch, 'toldAt'>;
}

const MOST_REPLANS = 5;

/** snapshot -> plan -> batch -> network, with the job for itself so that no fact makes the plan stale. */
export class BatchScheduler {
  readonly #limits: Pick<OrchestratorLimits, 'lostAfterMs' | 'maxSearchRounds'>;
  readonly #needs: BatchSchedulerNeeds;

  constructor(
    limits: Pick<OrchestratorLimits, 'lostAfterMs' | 'maxSearchRounds'>,
    needs: BatchSchedulerNeeds,
  ) {
    this.#limits = limits;
    this.#needs = needs;
  }

  schedule({ jobId }: Pick<Evaluation, 'jobId'>): Promise<void> {
    const { clock, liveness, searches, planner } = this.#needs;
    const { lostAfterMs, maxSearchRounds } = this.#limits;
    return this.#needs.lane.alone(jobId, async (store) => {
      for (let tries = 0; tries < MOST_REPLANS; tries += 1) {
        const snapshot = await store.newest(jobId);
        if (snapshot === undefined) return;
        const executions = snapshot.executions.map((execution) => ({
          ...execution,
          lastSeenAt: liveness.lastSeenAt(execution.id, execution.lastSeenAt),
        }));
        const openNegotiations = searches.openNegotiations(jobId, snapshot.search?.requestId);
        const roomFreedAt = this.#needs.room.toldAt(jobId);
        const told = roomFreedAt === undefined ? {} : { roomFreedAt };
        const plan = reconcileBatch(
          { ...snapshot, executions, openNegotiations, lostAfterMs, maxSearchRounds, ...told },
          clock.livedMs(),
        );
        if (await planner.carryOut(plan, snapshot, store)) return;
      }
      throw new CodedError('REVISION_CONFLICT', `Job ${jobId} changes faster than it can be planned.`);
    });
  }
}
