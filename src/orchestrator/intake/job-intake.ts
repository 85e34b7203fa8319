import type { JobDescription } from '../../domain/job/job-description.ts';
import { type Job, isTerminalJobState } from '../../domain/job/job.ts';
import type { ContentChange } from '../../domain/program/stored-content.ts';
import type { Clock } from '../../lib/clock.ts';
import { CodedError, codeOf, messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Evaluations } from '../evaluations.ts';
import type { PostOptions } from '../index.ts';
import type { JobLane } from '../job-lane.ts';
import type { OrchestratorOptions } from '../options.ts';
import type { ContentFetcher, JobStore } from '../ports.ts';
import { contentOf, processJob } from './process-job.ts';

export interface JobIntakeNeeds {
  /** Peer id of this node. */
  readonly self: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly newId: () => string;
  readonly store: Pick<JobStore, 'snapshot' | 'byIdempotencyKey'>;
  readonly content: Pick<ContentFetcher, 'requireRoom' | 'draft' | 'pin' | 'unpin'>;
  readonly lane: JobLane;
  readonly evaluations: Evaluations;
  readonly openJobs: () => number;
}

/** Where jobs come in, and where their owner asks for their end. */
export class JobIntake {
  readonly #options: OrchestratorOptions;
  readonly #needs: JobIntakeNeeds;

  constructor(options: OrchestratorOptions, needs: JobIntakeNeeds) {
    this.#options = options;
    this.#needs = needs;
  }

  async post(
    description: JobDescription,
    options: PostOptions,
  ): Promise<{ readonly jobId: string; readonly repeated: boolean }> {
    const earlier = await this.#earlierPost(options);
    if (earlier !== undefined) return { jobId: earlier, repeated: true };
    if (this.#needs.openJobs() >= this.#options.limits.maxOpenJobs) {
      throw new CodedError(
        'TOO_MANY_JOBS',
        'This node has as many open jobs as it may. Wait for some to end, then try again.',
      );
    }
    const { clock, self, newId, content } = this.#needs;
    await content.requireRoom();
    const metadata = { id: newId(), submitter: self, now: clock.livedMs() };
    const draft = content.draft();
    try {
      const job = await processJob(description, metadata, this.#options, draft);
      await this.#save(job, draft.changes(job.id), options);
      return { jobId: job.id, repeated: false };
    } catch (error) {
      const winner = codeOf(error) === 'IDEMPOTENCY_TAKEN' ? await this.#earlierPost(options) : undefined;
      if (winner === undefined) throw error;
      return { jobId: winner, repeated: true };
    } finally {
      await draft.end();
    }
  }

  async cancel(jobId: string): Promise<void> {
    const { store, lane, evaluations } = this.#needs;
    const snapshot = await store.snapshot(jobId);
    if (snapshot === undefined)
      throw new CodedError('JOB_NOT_FOUND', `There is no job ${jobId} on this node.`);
    const { job } = snapshot;
    if (job.state === 'Stopped') return;
    if (isTerminalJobState(job.state)) {
      throw new CodedError('JOB_FINISHED', `Job ${jobId} is ${job.state} already.`, {
        data: { state: job.state },
      });
    }
    await lane.change(jobId, ({ job: current }) =>
      isTerminalJobState(current.state) || current.stopRequested === true
        ? undefined
        : { job: { ...current, stopRequested: true }, events: [] },
    );
    evaluations.evaluate(job, 'job-cancel');
  }

  /** Keeps what an open job needs: of one that was posted by a version that did so a moment later. */
  async pin(job: Job): Promise<void> {
    try {
      await Promise.all(contentOf(job.spec).map(({ cid }) => this.#needs.content.pin(cid, job.id)));
    } catch (error) {
      const reason = messageOf(error);
      this.#needs.logger.warn('the inputs of a job could not be pinned', { jobId: job.id, reason });
    }
  }

  /** The content of a job that is over, or that never came to be, may go. */
  async unpin(jobId: string): Promise<void> {
    try {
      await this.#needs.content.unpin(jobId);
    } catch (error) {
      const reason = messageOf(error);
      this.#needs.logger.warn('the inputs of a finished job are still pinned', { jobId, reason });
    }
  }

  async #save(
    job: Job,
    content: readonly ContentChange[],
    { idempotencyKey, bodyDigest }: PostOptions,
  ): Promise<void> {
    const { lane, evaluations } = this.#needs;
    const { durable } = await lane.alone(job.id, (store) =>
      store.begin({
        jobId: job.id,
        revision: 0,
        job,
        content,
        ...(idempotencyKey === undefined ? {} : { idempotency: { key: idempotencyKey, bodyDigest } }),
        events: [{ type: 'job.posted', at: job.createdAt }],
      }),
    );
    evaluations.evaluate(job, 'job-register');
    await durable;
  }

  async #earlierPost({ idempotencyKey, bodyDigest }: PostOptions): Promise<string | undefined> {
    if (idempotencyKey === undefined) return undefined;
    const earlier = await this.#needs.store.byIdempotencyKey(idempotencyKey);
    if (earlier === undefined) return undefined;
    if (earlier.bodyDigest === bodyDigest) return earlier.jobId;
    throw new CodedError(
      'IDEMPOTENCY_CONFLICT',
      'This Idempotency-Key was used with another body before. Use a fresh key for another job.',
      { data: { jobId: earlier.jobId } },
    );
  }
}
