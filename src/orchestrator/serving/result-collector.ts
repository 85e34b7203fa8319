import type { ServingItem } from '../../domain/market/serving.ts';
import type { KeptError } from '../../domain/units/reason.ts';
import { type BackoffOptions, backoffMs } from '../../lib/backoff.ts';
import type { Chance } from '../../lib/chance.ts';
import type { Clock } from '../../lib/clock.ts';
import { CodedError, codeOf, messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { ContentFetcher, JobStore } from '../ports.ts';

export interface ResultCollectorNeeds {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly chance: Chance;
  readonly logger: Logger;
  readonly store: Pick<JobStore, 'contract'>;
  readonly content: Pick<ContentFetcher, 'fetch' | 'pin' | 'unpin' | 'room' | 'sizeOf'>;
  /** Aborted when the node stops. */
  readonly signal: AbortSignal;
}

export type Collected =
  | { readonly kind: 'here' }
  /** It may come another time. */
  | { readonly kind: 'not-yet' }
  /** This node has no room for it: it waits, and is fetched again by and by. `isNew` the first time. */
  | { readonly kind: 'no-room'; readonly isNew: boolean; readonly error: KeptError }
  /** No room came in all that time. */
  | { readonly kind: 'never-room'; readonly error: KeptError }
  /** Wrong or too large (`bad`), or asked for too often. */
  | { readonly kind: 'hopeless'; readonly bad: boolean; readonly error: KeptError };

/** A provider that answers but does not deliver is given up after so many tries. */
export const MOST_FETCHES = 10;

const NEVER_BETTER = ['CONTENT_INVALID', 'CONTENT_TOO_LARGE'];
/** What this node's own disk and quota end a fetch with: nothing that its provider could do about. */
const OWN_CODES = ['QUOTA_EXCEEDED', 'DISK_FULL', 'STORE_FAILED'];
/** How long a result waits for room here. Its provider keeps it as long. */
const ROOM_WAIT_MS = 30 * 60_000;
const ROOM_RETRY: BackoffOptions = { firstMs: 1000, longestMs: 15_000, factor: 2 };

/** A result is the output itself with a little structure around it. */
const STRUCTURE_FACTOR = 2;

/** A result that finds no room. */
interface Waiting {
  readonly sinceMs: number;
  readonly tries: number;
  readonly nextAtMs: number;
  readonly error: KeptError;
}

/** Brings results here, and keeps in mind how often that went wrong. */
export class ResultCollector {
  readonly #needs: ResultCollectorNeeds;
  readonly #failures = new Map<string, number>();
  readonly #waiting = new Map<string, Waiting>();

  constructor(needs: ResultCollectorNeeds) {
    this.#needs = needs;
  }

  /** Makes the result of `item` present, checked and pinned here. Never rejects. */
  async collect(item: ServingItem, resultCid: string): Promise<Collected> {
    const { executionId, resultBytes = 0 } = item;
    const waiting = this.#waiting.get(executionId);
    if (waiting !== undefined && this.#needs.clock.monotonicMs() < waiting.nextAtMs)
      return { kind: 'no-room', isNew: false, error: waiting.error };
    try {
      await this.#requireRoom(resultCid, resultBytes);
      await this.#fetch(item, resultCid);
      this.#waiting.delete(executionId);
      return { kind: 'here' };
    } catch (error) {
      return OWN_CODES.includes(codeOf(error) ?? '')
        ? this.#noRoom(executionId, keptError(error))
        : this.#failed(executionId, error);
    }
  }

  /** The execution is over. */
  forget(executionId: string): void {
    this.#failures.delete(executionId);
    this.#waiting.delete(executionId);
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

  /** A result that cannot fit is not fetched to find that out. */
  async #requireRoom(resultCid: string, resultBytes: number): Promise<void> {
    const { content } = this.#needs;
    if (resultBytes <= content.room().freeBytes || (await content.sizeOf(resultCid)) !== undefined) return;
    throw new CodedError('QUOTA_EXCEEDED', 'The content store is full (limits.contentQuotaBytes).');
  }

  #noRoom(executionId: string, error: KeptError): Collected {
    if (this.#needs.signal.aborted) return { kind: 'not-yet' };
    const nowMs = this.#needs.clock.monotonicMs();
    const { sinceMs, tries } = this.#waiting.get(executionId) ?? { sinceMs: nowMs, tries: 0 };
    if (nowMs - sinceMs >= ROOM_WAIT_MS) return { kind: 'never-room', error };
    const nextAtMs = nowMs + backoffMs(ROOM_RETRY, tries + 1, this.#needs.chance);
    this.#waiting.set(executionId, { sinceMs, tries: tries + 1, nextAtMs, error });
    if (tries === 0) this.#needs.logger.warn('a result waits for room', { executionId, reason: error.text });
    return { kind: 'no-room', isNew: tries === 0, error };
  }

  #failed(executionId: string, error: unknown): Collected {
    if (this.#needs.signal.aborted) return { kind: 'not-yet' };
    const failures = (this.#failures.get(executionId) ?? 0) + 1;
    this.#failures.set(executionId, failures);
    this.#needs.logger.debug('a result was not fetched', { executionId, failures, reason: messageOf(error) });
    const bad = NEVER_BETTER.includes(codeOf(error) ?? '');
    return bad || failures >= MOST_FETCHES
      ? { kind: 'hopeless', bad, error: keptError(error) }
      : { kind: 'not-yet' };
  }
}

function keptError(error: unknown): KeptError {
  return { error: codeOf(error) ?? 'INTERNAL', text: messageOf(error) };
}
