import { type Execution, isLive } from '../../domain/market/execution.ts';
import type { Desired, ServingItem } from '../../domain/market/serving.ts';
import { messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { JobChange, JobLane } from '../job-lane.ts';
import { jobIdOf } from './job-id.ts';
import type { ResultCollector } from './result-collector.ts';

export interface LateOutputNeeds {
  readonly logger: Logger;
  readonly lane: Pick<JobLane, 'change'>;
  readonly results: Pick<ResultCollector, 'collect' | 'drop' | 'forget'>;
  /** Aborted when the node stops. */
  readonly signal: AbortSignal;
}

/**
 * What an attempt had printed when it was cancelled, lost or given up. It is over here by then, so the provider would
 * be told to let go of it; it is not before what it kept is here, or has turned out not to be had.
 */
export class LateOutput {
  readonly #needs: LateOutputNeeds;
  readonly #collecting = new Set<string>();
  readonly #hopeless = new Set<string>();

  constructor(needs: LateOutputNeeds) {
    this.#needs = needs;
  }

  /** What to tell the provider in place of `desired`. */
  answer(item: ServingItem, execution: Execution | undefined, desired: Desired): Desired {
    const { executionId, resultCid } = item;
    if (desired === 'run' || resultCid === undefined || !isWanted(item, execution)) return desired;
    if (this.#hopeless.delete(executionId)) return desired;
    if (!this.#collecting.has(executionId)) this.#begin(item, resultCid);
    return 'run';
  }

  #begin(item: ServingItem, resultCid: string): void {
    const { executionId } = item;
    this.#collecting.add(executionId);
    this.#collect(item, resultCid)
      .catch((error: unknown) => {
        this.#hopeless.add(executionId);
        const reason = messageOf(error);
        this.#needs.logger.warn('the output of an attempt that is over was not kept', {
          executionId,
          reason,
        });
      })
      .finally(() => this.#collecting.delete(executionId));
  }

  async #collect(item: ServingItem, resultCid: string): Promise<void> {
    const { lane, results, signal } = this.#needs;
    const collected = await results.collect(item, resultCid);
    if (signal.aborted || collected.kind === 'not-yet') return;
    if (collected.kind === 'here') {
      const kept = await lane.change(jobIdOf(item.executionId), ({ executions }) =>
        keeping(
          item,
          resultCid,
          executions.find(({ id }) => id === item.executionId),
        ),
      );
      if (kept === undefined) await results.drop(item.executionId);
      return;
    }
    this.#hopeless.add(item.executionId);
    results.forget(item.executionId);
    await results.drop(item.executionId);
  }
}

/** A result that came after its attempt was lost is none; what was printed until an end is. */
function isWanted(item: ServingItem, execution: Execution | undefined): boolean {
  if (item.state !== 'Failed' && item.state !== 'Cancelled') return false;
  if (execution === undefined || isLive(execution) || execution.contractId !== item.contractId) return false;
  const { observed } = execution;
  const mayKeep = observed.state === 'Failed' || observed.state === 'Cancelled';
  return mayKeep && observed.resultCid === undefined && execution.attempt === item.attempt;
}

/** The state stays what it was: only what is kept of the attempt changes. */
function keeping(
  item: ServingItem,
  resultCid: string,
  execution: Execution | undefined,
): JobChange | undefined {
  if (execution === undefined || !isWanted(item, execution)) return undefined;
  const { observed } = execution;
  if (observed.state !== 'Failed' && observed.state !== 'Cancelled') return undefined;
  const kept = { ...observed, resultCid, resultBytes: item.resultBytes ?? 0 };
  return { executions: [{ ...execution, observed: kept }], events: [] };
}
