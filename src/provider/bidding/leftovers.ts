import type { Refusal } from '../../domain/market/bid.ts';
import { bytesAsked, bytesThere } from '../../domain/matching/field-text.ts';
import { contentRefsOf } from '../../domain/program/task.ts';
import type { ProviderContent, ProviderExecution } from '../ports.ts';
import { keptShare } from './refusals.ts';

export interface LeftoversNeeds {
  readonly content: Pick<ProviderContent, 'room'>;
  readonly isEstablished: (requester: string) => boolean;
  /** Whether there are established requesters that ask. */
  readonly isKept: () => boolean;
  /** All that are not forgotten, begun or over. */
  readonly executions: () => readonly ProviderExecution[];
}

/**
 * What strangers' contracts keep in the content store, inputs and results that nobody has said "done" to, leaves a share
 * of it to established requesters.
 */
export class Leftovers {
  readonly #keptPercent: number;
  readonly #needs: LeftoversNeeds;

  constructor(keptPercent: number, needs: LeftoversNeeds) {
    this.#keptPercent = keptPercent;
    this.#needs = needs;
  }

  /** Why no more of a stranger's is taken in; undefined where it is, and for established requesters. */
  refusal(requester: string, moreBytes: number): Refusal | undefined {
    const { content, isEstablished, isKept } = this.#needs;
    if (isEstablished(requester) || !isKept()) return undefined;
    const { quotaBytes } = content.room();
    const mostBytes = quotaBytes - Math.floor((quotaBytes * this.#keptPercent) / 100);
    const heldBytes = this.#ofStrangers();
    if (heldBytes + moreBytes <= mostBytes) return undefined;
    const required = bytesAsked(moreBytes);
    const available = bytesThere(Math.max(0, mostBytes - heldBytes), moreBytes);
    const why = { code: 'strangers-content-full', data: { required, available } } as const;
    const field = 'limits.contentQuotaBytes';
    return keptShare({ code: 'KEPT_SHARE', why, field, required, available, retryable: true });
  }

  /** What several contracts share counts once. */
  #ofStrangers(): number {
    const inputs = new Map<string, number>();
    let resultBytes = 0;
    for (const { requester, settled, invocation, item } of this.#needs.executions()) {
      if (settled || this.#needs.isEstablished(requester)) continue;
      resultBytes += item.resultBytes ?? 0;
      for (const { cid, size } of contentRefsOf(invocation.engine, invocation.inputs)) inputs.set(cid, size);
    }
    return [...inputs.values()].reduce((sum, bytes) => sum + bytes, resultBytes);
  }
}
