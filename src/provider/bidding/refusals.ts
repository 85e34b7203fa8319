import type { DeclineCode, Refusal } from '../../domain/market/bid.ts';
import type { CapabilityComparison } from '../../domain/matching/comparison.ts';
import type { RefusalReason } from '../../domain/market/refusal-reason.ts';
import { bare } from '../../domain/units/reason.ts';
import { refusalOf } from './declining.ts';

/** Yes, no with a reason that may be told, or no without a word. */
export type Admission = 'in' | 'unheard' | Refusal;

type Later = Pick<Refusal, 'retryAfterMs'>;

/** A no for now: asking again is worth it at once, or later where that is said. */
function notNow(code: DeclineCode, why: RefusalReason, more: Partial<Refusal> = {}): Refusal {
  return { code, why, retryable: true, retryAfterMs: 0, ...more };
}

export const EXPIRED = notNow('BID_EXPIRED', bare('bid-expired'));
export const TOO_LATE = notNow('BID_EXPIRED', bare('accepted-too-late'));
export const GIVEN_UP = notNow('BID_EXPIRED', bare('contract-given-up'));
export const LOCK_EXPIRED = notNow('LOCK_EXPIRED', bare('lock-expired'));
export const LOCK_GONE = notNow('LOCK_EXPIRED', bare('lock-not-held'), { field: 'terms.lockVersion' });
export const FITS_LESS_WELL = notNow('POLICY', bare('fits-less-well'), { field: 'request.answerFit' });

export const draining = (later: Later): Refusal => notNow('DRAINING', bare('draining'), later);
export const runsEnough = (later: Later): Refusal => notNow('BUSY', bare('too-many-executions'), later);
export const noSeat = (later: Later): Refusal => notNow('BUSY', bare('too-many-negotiations'), later);
export const noPlaceLeft = (later: Later): Refusal =>
  notNow('INSUFFICIENT_RESOURCES', bare('no-place-left'), later);
export const tooManyUnbegun = (later: Later): Refusal => notNow('BUSY', bare('too-many-unbegun'), later);
export const tooManyUnsettled = (later: Later): Refusal => notNow('BUSY', bare('too-many-unsettled'), later);

/** There is room, and strangers together have what is theirs of it. That ends when they do, or when established requesters stay away. */
export function keptShare(refusal: Refusal): Refusal {
  const why = { code: 'kept-for-established', data: { why: refusal.why } } as const;
  return { ...refusal, code: 'KEPT_SHARE', why, retryable: true };
}

/** Capacity that was there when it was bid: `comparison` is with what is free now. */
export function taken(comparison: CapabilityComparison, later: Later): Refusal {
  const refusal = refusalOf(comparison, true);
  return { ...refusal, ...later, why: { code: 'taken-meanwhile', data: { why: refusal.why } } };
}
