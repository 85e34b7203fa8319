import type { ContractRecord } from '../domain/market/contract.ts';
import type { Evaluation } from '../domain/job/evaluation.ts';
import type { Evidence } from '../domain/market/evidence.ts';
import { type Explanation, explain } from '../domain/explain/explanation.ts';
import type { JobDescription } from '../domain/job/job-description.ts';
import type { JobEvent } from '../domain/job/job-event.ts';
import type { Job } from '../domain/job/job.ts';
import type { JobSnapshot } from '../domain/job/plan.ts';
import type { Search } from '../domain/market/search.ts';
import type { ServingAnswer, ServingList } from '../domain/market/serving.ts';
import { chanceOf, newId } from '../lib/random.ts';
import { CodedError, messageOf } from '../lib/coded-error.ts';
import { giveUpJob } from './giving-up.ts';
import type {
  JobLogsOptions,
  LogPart,
  Orchestrator,
  OrchestratorNeeds,
  PostOptions,
  SchedulingStats,
} from './index.ts';
import { contentOf } from './intake/process-job.ts';
import { readJobLogs } from './job-logs.ts';
import { resultsOf } from './job-results.ts';
import type { OrchestratorOptions } from './options.ts';
import type { JobFilter, JobPage, RequesterHandler } from './ports.ts';
import { dryRun } from './search/dry-run.ts';
import { mostAsked, waitOf } from './search/targets.ts';
import { recoverJobs } from './recovery.ts';
import { type RequesterParts, wireRequester } from './requester-parts.ts';

/** The face of the requester to its user and to the network. */
export class OrchestratorService implements Orchestrator, RequesterHandler {
  readonly #options: OrchestratorOptions;
  readonly #needs: OrchestratorNeeds;
  readonly #stopping = new AbortController();
  readonly #parts: RequesterParts;

  constructor(options: OrchestratorOptions, needs: OrchestratorNeeds) {
    this.#options = options;
    this.#needs = needs;
    this.#parts = wireRequester(options, needs, {
      signal: this.#stopping.signal,
      onFinished: (job) => this.#finished(job),
      onDeadLetter: (evaluation) => this.#giveUp(evaluation),
    });
  }

  get handler(): RequesterHandler {
    return this;
  }

  async start(): Promise<void> {
    const { behaviour, broker, counterparts, unanswered, watchdog, worker } = this.#parts;
    await behaviour.start();
    await counterparts.start();
    broker.setEnabled(true);
    const { intake } = this.#parts;
    await recoverJobs({
      ...this.#needs,
      ...this.#parts,
      pin: (job) => intake.pin(job),
      unpin: (jobId) => intake.unpin(jobId),
    });
    await unanswered.load();
    watchdog.start();
    await worker.start();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new CodedError('STOPPING', 'The node is stopping.'));
    this.#parts.watchdog.stop();
    this.#parts.room.stop();
    this.#parts.searches.stop();
    await this.#parts.worker.stop();
    this.#parts.broker.setEnabled(false);
    await this.#parts.behaviour.stop();
    await this.#parts.counterparts.stop();
  }

  // ---- Orchestrator ---------------------------------------------------------------------------------

  postJob(
    description: JobDescription,
    options: PostOptions,
  ): Promise<{ readonly jobId: string; readonly repeated: boolean }> {
    return this.#parts.intake.post(description, options);
  }

  cancelJob(jobId: string): Promise<void> {
    return this.#parts.intake.cancel(jobId);
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

  scheduling(): SchedulingStats {
    const { broker, worker } = this.#parts;
    return { broker: broker.stats(), worker: worker.counters() };
  }

  roomFreed(provider: string): void {
    this.#parts.room.freed(true, provider);
  }

  async explain(jobId: string): Promise<Explanation> {
    const snapshot = await this.#needs.store.snapshot(jobId);
    if (snapshot === undefined)
      throw new CodedError('JOB_NOT_FOUND', `There is no job ${jobId} on this node.`);
    const searches = await this.#needs.store.searchesOf(jobId);
    const { spec } = snapshot.job;
    const { market, peers } = this.#needs;
    const asked = mostAsked(spec, this.#options.wantedBids);
    const asker = {
      self: market.self,
      preferred: spec.preferredProviders,
      ...asked,
      ...waitOf(snapshot.job),
    };
    return explain(searches, snapshot.executions, peers.explain(spec), asker);
  }

  dryRun(description: JobDescription): Promise<Explanation> {
    const { clock, random } = this.#needs;
    return dryRun(description, this.#options, {
      ...this.#needs,
      behaviour: this.#parts.behaviour,
      newId: () => newId(clock, random),
      withSlot: (requestId, work) => this.#parts.searches.withSlot(requestId, work),
    });
  }

  logs(jobId: string, options: JobLogsOptions, signal: AbortSignal): AsyncIterable<LogPart> {
    return readJobLogs(jobId, options, this.#needs, AbortSignal.any([signal, this.#stopping.signal]));
  }

  async results(jobId: string): Promise<readonly { executionId: string; partition: number; cid: string }[]> {
    const snapshot = await this.#needs.store.snapshot(jobId);
    return resultsOf(snapshot?.executions ?? []);
  }

  // ---- RequesterHandler --------------------------------------------------------------------------------

  servingList(provider: string, list: Evidence<ServingList>): Promise<ServingAnswer> {
    return this.#parts.serving.take(provider, list);
  }

  mayReport(provider: string): boolean {
    return this.#parts.counterparts.mayReport(provider);
  }

  strays(provider: string, { items }: ServingList): number {
    return this.#parts.serving.strays(provider, items);
  }

  knows(peer: string): boolean {
    return this.#parts.counterparts.isKnown(peer);
  }

  peerConnected(peer: string): void {
    this.#parts.unanswered.peerConnected(peer);
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

  #finished(job: Job): void {
    this.#parts.broker.forgetJob(job.id);
    void this.#parts.intake.unpin(job.id);
  }

  #giveUp({ jobId }: Evaluation): void {
    const { clock, logger, random } = this.#needs;
    const needs = { ...this.#parts, clock, chance: chanceOf(random), signal: this.#stopping.signal };
    giveUpJob(jobId, needs).catch((error: unknown) => {
      logger.error('a job could not be given up', { jobId, reason: messageOf(error) });
    });
  }
}
