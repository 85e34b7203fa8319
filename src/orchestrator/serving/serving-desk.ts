import type { Evidence } from '../../domain/evidence.ts';
import type { Execution } from '../../domain/execution.ts';
import type { Job } from '../../domain/job.ts';
import type { JobSnapshot } from '../../domain/plan.ts';
import type { ServingAnswer, ServingItem, ServingList } from '../../domain/serving.ts';
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
  /** A provider works on a contract whose acceptance never arrived here: it is to be asked for. */
  readonly onUnresolved: (job: Job, execution: Execution) => void;
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

  async #item(provider: string, item: ServingItem): Promise<ServingAnswer['desired'][number]['desired']> {
    const snapshot = await this.#needs.store.snapshot(jobIdOf(item.executionId));
    const execution = find(snapshot, item.executionId);
    if (snapshot === undefined || execution === undefined || execution.provider !== provider) return 'stop';
    this.#needs.liveness.seen(execution.id);
    if (desiredFor(item, execution, provider) !== 'run') return desiredFor(item, execution, provider);
    if (execution.observed.state === 'AskForBidAccepted') {
      this.#needs.onUnresolved(snapshot.job, execution);
      return 'run';
    }
    if (!isNews(item, execution)) return 'run';
    const after = await this.#apply(snapshot, execution, item);
    const updated = find(after, item.executionId) ?? execution;
    return desiredFor(item, updated, provider);
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
      await content.pin(resultCid, item.executionId);
      await content.fetch(
        resultCid,
        { peer: provider, peerRecord: providerRecord, contractId: item.contractId },
        maxOutputBytes * 2,
        signal,
      );
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
