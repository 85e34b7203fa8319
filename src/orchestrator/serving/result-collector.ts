import type { ServingItem } from '../../domain/serving.ts';
import { CodedError, codeOf, messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { ContentFetcher, JobStore } from '../ports.ts';

export interface ResultCollectorNeeds {
  readonly logger: Logger;
  readonly store: Pick<JobStore, 'contract'>;
  readonly content: Pick<ContentFetcher, 'fetch' | 'pin' | 'unpin'>;
  /** Aborted when the node stops. */
  readonly signal: AbortSignal;
}

export type Collected =
  | { readonly kind: 'here' }
  /** It may come another time. */
  | { readonly kind: 'not-yet' }
  /** Wrong or too large (`bad`), or asked for too often. */
  | { readonly kind: 'hopeless'; readonly bad: boolean; readonly message: string };

/** A provider that answers but does not deliver is given up after so many tries. */
export const MOST_FETCHES = 10;

const NEVER_BETTER = ['CONTENT_INVALID', 'CONTENT_TOO_LARGE'];
/** A result is the output itself with a little structure around it. */
const STRUCTURE_FACTOR = 2;

/** Brings results here, and keeps in mind how often that went wrong. */
export class ResultCollector {
  readonly #needs: ResultCollectorNeeds;
  readonly #failures = new Map<string, number>();

  constructor(needs: ResultCollectorNeeds) {
    this.#needs = needs;
  }

  /** Makes the result of `item` present, checked and pinned here. Never rejects. */
  async collect(item: ServingItem, resultCid: string): Promise<Collected> {
    try {
      await this.#fetch(item, resultCid);
      return { kind: 'here' };
    } catch (error) {
      return this.#failed(item.executionId, error);
    }
  }

  /** The execution is over. */
  forget(executionId: string): void {
    this.#failures.delete(executionId);
  }

  /** The bytes are not wanted after all. */
  async drop(executionId: string): Promise<void> {
    try {
      await this.#needs.content.unpin(executionId);
    } catch (error) {
      this.#needs.logger.warn('an unwanted result is still pinned', {
        executionId,
        reason: messageOf(error),
      });
    }
  }

  async #fetch({ executionId, contractId }: ServingItem, resultCid: string): Promise<void> {
    const { store, content, signal } = this.#needs;
    const contract = await store.contract(contractId);
    if (contract === undefined) throw new CodedError('CONTRACT_UNKNOWN', 'its contract is not here');
    const { provider, providerRecord, maxOutputBytes } = contract.terms.value;
    await content.fetch(
      resultCid,
      { peer: provider, peerRecord: providerRecord, contractId },
      maxOutputBytes * STRUCTURE_FACTOR,
      signal,
    );
    await content.pin(resultCid, executionId);
  }

  #failed(executionId: string, error: unknown): Collected {
    const message = messageOf(error);
    if (this.#needs.signal.aborted) return { kind: 'not-yet' };
    const failures = (this.#failures.get(executionId) ?? 0) + 1;
    this.#failures.set(executionId, failures);
    this.#needs.logger.debug('a result was not fetched', { executionId, failures, reason: message });
    const bad = NEVER_BETTER.includes(codeOf(error) ?? '');
    return bad || failures >= MOST_FETCHES ? { kind: 'hopeless', bad, message } : { kind: 'not-yet' };
  }
}
