import { reconcileBatch } from './schedulers/batch.ts';
import type { ContractRecord } from '../domain/contract.ts';
import type { Evaluation, EvaluationTrigger } from '../domain/evaluation.ts';
import type { Evidence } from '../domain/evidence.ts';
import type { Execution } from '../domain/execution.ts';
import type { JobDescription } from '../domain/job-description.ts';
import type { JobEvent } from '../domain/job-event.ts';
import { type Job, isTerminalJobState } from '../domain/job.ts';
import type { JobSnapshot } from '../domain/plan.ts';
import type { Search } from '../domain/search.ts';
import type { ServingAnswer, ServingList } from '../domain/serving.ts';
import { CodedError, codeOf, messageOf } from '../lib/coded-error.ts';
import { newId } from '../lib/random.ts';
import { defaultBrokerOptions } from './evaluations/broker-options.ts';
import type { EvaluationBroker } from './evaluations/broker-contract.ts';
import { createEvaluationBroker } from './evaluations/evaluation-broker.ts';
import type { JobLogsOptions, Orchestrator, OrchestratorNeeds, PostOptions } from './index.ts';
import { contentOf, processJob } from './intake/process-job.ts';
import { JobLane } from './job-lane.ts';
import { readJobLogs, resultOf } from './job-logs.ts';
import { ContractCloser } from './negotiation/contract-closer.ts';
import { Negotiator } from './negotiation/negotiator.ts';
import type { OrchestratorOptions } from './options.ts';
import { Planner } from './planners/planner.ts';
import type { JobFilter, JobPage, RequesterDesk } from './ports.ts';
import { SearchDesk } from './search/search-desk.ts';
import { Liveness } from './serving/liveness.ts';
import { ServingDesk } from './serving/serving-desk.ts';
import { Watchdog } from './watchdog.ts';
import { defaultWorkerOptions } from './workers/worker-options.ts';
import { createWorker, type Worker } from './workers/worker.ts';

const MOST_REPLANS = 20;

/** Wires the requester's parts: evaluations in, plans out, facts back. */
export class OrchestratorService implements Orchestrator, RequesterDesk {
  readonly #options: OrchestratorOptions;
  readonly #needs: OrchestratorNeeds;
  readonly #stopping = new AbortController();
  readonly #lane: JobLane;
  readonly #liveness: Liveness;
  readonly #broker: EvaluationBroker;
  readonly #worker: Worker;
  readonly #searches: SearchDesk;
  readonly #closer: ContractCloser;
  readonly #planner: Planner;
  readonly #serving: ServingDesk;
  readonly #watchdog: Watchdog;

  constructor(options: OrchestratorOptions, needs: OrchestratorNeeds) {
    const { clock, logger, notary, market, store, content, check } = needs;
    const { limits } = options;
    const { signal } = this.#stopping;
    const evaluate = (job: Job, trigger: EvaluationTrigger): void => this.#evaluate(job, trigger);
    this.#options = options;
    this.#needs = needs;
    this.#lane = new JobLane({
      snapshot: (jobId) => store.snapshot(jobId),
      commit: async (commit) => {
        const after = await store.commit(commit);
        this.#watchdog.watch(after);
        return after;
      },
    });
    const lane = this.#lane;
    this.#liveness = new Liveness(clock);
    this.#watchdog = new Watchdog(
      { periodMs: limits.watchPeriodMs, lostAfterMs: limits.lostAfterMs },
      { clock, liveness: this.#liveness, evaluate },
    );
    this.#searches = new SearchDesk(options, { clock, logger, notary, market, lane, evaluate });
    this.#closer = new ContractCloser(limits, {
      clock,
      logger,
      market,
      lane,
      store,
      check,
      evaluate,
      signal,
    });
    const negotiator = new Negotiator(limits, {
      clock,
      logger,
      notary,
      market,
      lane,
      desk: this.#searches,
      closer: this.#closer,
      evaluate,
    });
    this.#planner = new Planner({
      clock,
      lane,
      desk: this.#searches,
      negotiator,
      newRequestId: () => this.#newId(),
      requeue: ({ job }, action) => this.#evaluate(job, action.trigger, action.waitUntil),
      onFinished: ({ job }) => void this.#finished(job),
    });
    this.#serving = new ServingDesk({
      clock,
      logger,
      store,
      lane,
      liveness: this.#liveness,
      content,
      evaluate,
      resolve: (job, execution) => this.#resolve(job, execution),
      signal,
    });
    this.#broker = createEvaluationBroker(
      { ...defaultBrokerOptions, maxEvaluations: limits.maxOpenJobs * 2 },
      { clock, newReceipt: () => this.#newId(), logger },
    );
    this.#worker = createWorker(
      { ...defaultWorkerOptions, concurrency: limits.workers },
      {
        broker: this.#broker,
        clock,
        logger,
        schedulers: (type) => (type === 'batch' ? (e) => this.#schedule(e) : undefined),
      },
    );
  }

  get desk(): RequesterDesk {
    return this;
  }

  /** Recovery is nothing special: every job that is not over is looked at. */
  async start(): Promise<void> {
    this.#broker.setEnabled(true);
    for (const jobId of await this.#needs.store.openJobs()) await this.#recover(jobId);
    this.#watchdog.start();
    await this.#worker.start();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new CodedError('STOPPING', 'The node is stopping.'));
    this.#watchdog.stop();
    this.#searches.stop();
    await this.#worker.stop();
    this.#broker.setEnabled(false);
  }

  // ---- Orchestrator ---------------------------------------------------------------------------------

  async postJob(
    description: JobDescription,
    options: PostOptions,
  ): Promise<{ readonly jobId: string; readonly repeated: boolean }> {
    const { clock, content, market } = this.#needs;
    const repeated = await this.#earlierPost(options);
    if (repeated !== undefined) return { jobId: repeated, repeated: true };
    if (this.#watchdog.openJobs >= this.#options.limits.maxOpenJobs) {
      throw new CodedError(
        'TOO_MANY_JOBS',
        'This node has as many open jobs as it may. Wait for some to end, then try again.',
      );
    }
    const jobId = this.#newId();
    const job = await processJob(
      description,
      { id: jobId, submitter: market.self, now: clock.nowMs() },
      this.#options,
      content,
    );
    for (const { cid } of contentOf(job.spec)) await content.pin(cid, jobId);
    const evaluation = this.#evaluationOf(job, 'job-register');
    const { idempotencyKey, bodyDigest } = options;
    try {
      const snapshot = await this.#lane.commit({
        jobId,
        revision: 0,
        job,
        evaluation,
        ...(idempotencyKey === undefined ? {} : { idempotency: { key: idempotencyKey, bodyDigest } }),
        events: [{ type: 'job.posted', at: job.createdAt }],
      });
      this.#watchdog.watch(snapshot);
    } catch (error) {
      if (codeOf(error) !== 'IDEMPOTENCY_TAKEN') throw error;
      const winner = await this.#earlierPost(options);
      if (winner === undefined) throw error;
      return { jobId: winner, repeated: true };
    }
    this.#broker.enqueue(evaluation);
    return { jobId, repeated: false };
  }

  async cancelJob(jobId: string): Promise<void> {
    const snapshot = await this.#needs.store.snapshot(jobId);
    if (snapshot === undefined)
      throw new CodedError('JOB_NOT_FOUND', `There is no job ${jobId} on this node.`);
    if (isTerminalJobState(snapshot.job.state)) {
      if (snapshot.job.state === 'Stopped') return;
      throw new CodedError('JOB_FINISHED', `Job ${jobId} is ${snapshot.job.state} already.`, {
        data: { state: snapshot.job.state },
      });
    }
    await this.#lane.change(jobId, ({ job }) =>
      isTerminalJobState(job.state) || job.stopRequested === true
        ? undefined
        : { job: { ...job, stopRequested: true }, events: [] },
    );
    this.#evaluate(snapshot.job, 'job-cancel');
  }

  job(jobId: string): Promise<JobSnapshot | undefined> {
    return this.#needs.store.snapshot(jobId);
  }

  jobs(filter: JobFilter): Promise<JobPage> {
    return this.#needs.store.list(filter);
  }

  searches(jobId: string): Promise<readonly Search[]> {
    return this.#needs.store.searchesOf(jobId);
  }

  contracts(jobId: string): Promise<readonly ContractRecord[]> {
    return this.#needs.store.contractsOf(jobId);
  }

  events(jobId: string, afterSeq: number, limit: number): Promise<readonly JobEvent[]> {
    return this.#needs.store.events(jobId, afterSeq, limit);
  }

  watch(jobId: string, listener: (events: readonly JobEvent[]) => void): () => void {
    return this.#needs.store.watch(jobId, listener);
  }

  logs(jobId: string, options: JobLogsOptions, signal: AbortSignal): AsyncIterable<Uint8Array> {
    return readJobLogs(jobId, options, this.#needs, AbortSignal.any([signal, this.#stopping.signal]));
  }

  async results(jobId: string): Promise<readonly { executionId: string; partition: number; cid: string }[]> {
    const snapshot = await this.#needs.store.snapshot(jobId);
    return (snapshot?.executions ?? []).flatMap((execution) => {
      const cid = resultOf(execution);
      return cid === undefined ? [] : [{ executionId: execution.id, partition: execution.partition, cid }];
    });
  }

  // ---- RequesterDesk --------------------------------------------------------------------------------

  servingList(provider: string, list: Evidence<ServingList>): Promise<ServingAnswer> {
    return this.#serving.take(provider, list);
  }

  async mayRead(peer: string, cid: string, contractId: string): Promise<boolean> {
    const contract = await this.#needs.store.contract(contractId);
    if (contract === undefined || contract.terms.value.provider !== peer) return false;
    if (contract.state !== 'PROPOSED' && contract.state !== 'ACCEPTED' && contract.state !== 'ACTIVE')
      return false;
    const snapshot = await this.#needs.store.snapshot(contract.jobId);
    return snapshot !== undefined && contentOf(snapshot.job.spec).some((ref) => ref.cid === cid);
  }

  // ---- insides --------------------------------------------------------------------------------------

  #newId(): string {
    return newId(this.#needs.clock, this.#needs.random);
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

  #evaluationOf(job: Job, trigger: EvaluationTrigger, waitUntil?: number): Evaluation {
    return {
      id: this.#newId(),
      jobId: job.id,
      type: job.spec.type,
      priority: job.spec.priority,
      trigger,
      createdAt: this.#needs.clock.nowMs(),
      ...(waitUntil === undefined ? {} : { waitUntil }),
    };
  }

  #evaluate(job: Job, trigger: EvaluationTrigger, waitUntil?: number): void {
    try {
      this.#broker.enqueue(this.#evaluationOf(job, trigger, waitUntil));
    } catch (error) {
      this.#needs.logger.error('an evaluation was not taken', {
        jobId: job.id,
        trigger,
        reason: messageOf(error),
      });
    }
  }

  /** snapshot -> plan -> batch -> network; planned again at once when the job changed in between. */
  async #schedule(evaluation: Evaluation): Promise<void> {
    const { store, clock } = this.#needs;
    const { lostAfterMs, maxSearchRounds } = this.#options.limits;
    for (let tries = 0; tries < MOST_REPLANS; tries += 1) {
      const snapshot = await store.snapshot(evaluation.jobId);
      if (snapshot === undefined) return;
      const executions = snapshot.executions.map((execution) => ({
        ...execution,
        lastSeenAt: this.#liveness.lastSeenAt(execution.id, execution.lastSeenAt),
      }));
      const openNegotiations = this.#searches.openNegotiations(evaluation.jobId, snapshot.search?.requestId);
      const plan = reconcileBatch(
        { ...snapshot, executions, openNegotiations, lostAfterMs, maxSearchRounds },
        clock.nowMs(),
      );
      if (await this.#planner.carryOut(plan, snapshot, evaluation.id)) return;
    }
    throw new CodedError(
      'REVISION_CONFLICT',
      `Job ${evaluation.jobId} changes faster than it can be planned.`,
    );
  }

  /** After a restart no stream is left: open searches are over, proposals without an answer are asked for. */
  async #recover(jobId: string): Promise<void> {
    const now = this.#needs.clock.nowMs();
    await this.#lane.change(jobId, ({ search }) =>
      search === undefined || search.state === 'closed'
        ? undefined
        : {
            search: { ...search, state: 'closed', closedAt: now, closeReason: 'interrupted' },
            events: [{ type: 'search.closed', at: now, code: 'interrupted' }],
          },
    );
    const snapshot = await this.#needs.store.snapshot(jobId);
    if (snapshot === undefined) return;
    for (const execution of snapshot.executions) {
      this.#liveness.seen(execution.id);
      if (execution.observed.state === 'AskForBidAccepted') void this.#resolve(snapshot.job, execution);
    }
    this.#watchdog.watch(snapshot);
    this.#evaluate(snapshot.job, 'recovery');
  }

  async #resolve(job: Job, execution: Execution): Promise<void> {
    if (execution.contractId === undefined) return;
    const contract = await this.#needs.store.contract(execution.contractId);
    if (contract?.state === 'PROPOSED') await this.#closer.close(job, execution, contract, undefined);
  }

  async #finished(job: Job): Promise<void> {
    this.#broker.forgetJob(job.id);
    try {
      await this.#needs.content.unpin(job.id);
    } catch (error) {
      this.#needs.logger.warn('the inputs of a finished job are still pinned', {
        jobId: job.id,
        reason: messageOf(error),
      });
    }
  }
}
