import type { Evidence } from '../../domain/evidence.ts';
import type { Execution } from '../../domain/execution.ts';
import type { Job } from '../../domain/job.ts';
import type { JobSnapshot } from '../../domain/plan.ts';
import type { Desired, ServingAnswer, ServingItem, ServingList } from '../../domain/serving.ts';
import type { Clock } from '../../lib/clock.ts';
import { codeOf, messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { JobLane } from '../job-lane.ts';
import type { ContentFetcher, JobStore } from '../ports.ts';
import type { Liveness } from './liveness.ts';
import { desiredFor, isNews, servingChange } from './serving-fact.ts';

export interface ServingDeskNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: Pick<JobStore, 'snapshot' | 'contract'>;
  readonly lane: JobLane;
  readonly liveness: Liveness;
  readonly content: ContentFetcher;
  readonly evaluate: (job: Job, trigger: 'exec-update' | 'exec-failure') => void;
  /** A provider works on a contract whose acceptance is not on disk here yet: settles when that is known. */
  readonly resolve: (job: Job, execution: Execution) => Promise<void>;
  /** Aborted when the node stops. */
  readonly signal: AbortSignal;
}

/** Takes in serving lists: facts become commits, results are fetched, and the answer is the desired state of each item. */
export class ServingDesk {
  readonly #needs: ServingDeskNeeds;
  readonly #fetching = new Set<string>();

  constructor(needs: ServingDeskNeeds) {
    this.#needs = needs;
  }

  async take(provider: string, list: Evidence<ServingList>): Promise<ServingAnswer> {
    const desired = await Promise.all(
      list.value.items.map(async (item) => ({
        executionId: item.executionId,
        attempt: item.attempt,
        desired: await this.#item(provider, item),
      })),
    );
    return { number: list.value.number, desired };
  }

  async #item(provider: string, item: ServingItem): Promise<Desired> {
    let snapshot = await this.#needs.store.snapshot(jobIdOf(item.executionId));
    let execution = find(snapshot, item.executionId);
    if (snapshot === undefined || execution === undefined || execution.provider !== provider) return 'stop';
    this.#needs.liveness.seen(execution.id);
    if (execution.observed.state === 'AskForBidAccepted' && execution.desired !== 'Stopped') {
      await this.#needs.resolve(snapshot.job, execution);
      snapshot = (await this.#needs.store.snapshot(snapshot.job.id)) ?? snapshot;
      execution = find(snapshot, item.executionId) ?? execution;
    }
    const desired = desiredFor(item, execution, provider);
    if (desired !== 'run' || !isNews(item, execution)) return desired;
    const after = await this.#apply(snapshot, execution, item);
    return desiredFor(item, find(after, item.executionId) ?? execution, provider);
  }

  async #apply(
    snapshot: JobSnapshot,
    execution: Execution,
    item: ServingItem,
  ): Promise<JobSnapshot | undefined> {
    if (item.resultCid === undefined) return this.#write(item, 'none');
    if (this.#fetching.has(execution.id)) return snapshot;
    this.#fetching.add(execution.id);
    if (item.state === 'Publishing') await this.#write(item, 'not-here');
    // The list is answered at once; the result is fetched beside it and the next list learns of it.
    void this.#collect(item, item.resultCid).finally(() => this.#fetching.delete(execution.id));
    return undefined;
  }

  /** Completed means that every byte is here and was checked. */
  async #collect(item: ServingItem, resultCid: string): Promise<void> {
    const { store, content, signal, logger } = this.#needs;
    const contract = await store.contract(item.contractId);
    if (contract === undefined) return;
    const { provider, providerRecord, maxOutputBytes } = contract.terms.value;
    try {
      await content.fetch(
        resultCid,
        { peer: provider, peerRecord: providerRecord, contractId: item.contractId },
        maxOutputBytes * 2,
        signal,
      );
      await content.pin(resultCid, item.executionId);
      await this.#write(item, 'here');
    } catch (error) {
      if (signal.aborted) return;
      logger.debug('a result could not be fetched', {
        executionId: item.executionId,
        reason: messageOf(error),
      });
      // Wrong bytes will not get better; unreachable ones may, and the next list tries again.
      const hopeless = codeOf(error) === 'CONTENT_INVALID' || codeOf(error) === 'CONTENT_TOO_LARGE';
      if (hopeless)
        await this.#write(
          { ...item, state: 'Failed', exitReason: 'internal', message: messageOf(error) },
          'none',
        );
      else if (item.state === 'Failed' || item.state === 'Cancelled') await this.#write(item, 'none');
    }
  }

  async #write(item: ServingItem, result: 'here' | 'not-here' | 'none'): Promise<JobSnapshot | undefined> {
    const { clock, lane, store, evaluate } = this.#needs;
    const contract = await store.contract(item.contractId);
    const after = await lane.change(jobIdOf(item.executionId), (snapshot) => {
      const current = find(snapshot, item.executionId);
      return current === undefined
        ? undefined
        : servingChange(item, current, contract, result, clock.nowMs());
    });
    if (after !== undefined && item.state !== 'Running') {
      evaluate(after.job, item.state === 'Failed' ? 'exec-failure' : 'exec-update');
    }
    return after;
  }
}

/** Execution ids begin with the id of their job. */
export function jobIdOf(executionId: string): string {
  return executionId.split('.')[0] ?? executionId;
}

function find(snapshot: JobSnapshot | undefined, executionId: string): Execution | undefined {
  return snapshot?.executions.find((known) => known.id === executionId);
}
