import type { DeclineCode, Refusal } from '../../domain/market/bid.ts';
import type { CapabilityComparison } from '../../domain/matching/comparison.ts';
import { refusalOf } from './declining.ts';

/** Yes, no with a reason that may be told, or no without a word. */
export type Admission = 'in' | 'unheard' | Refusal;

type Later = Pick<Refusal, 'retryAfterMs'>;

/** A no for now: asking again is worth it at once, or later where that is said. */
function notNow(code: DeclineCode, message: string, more: Partial<Refusal> = {}): Refusal {
  return { code, message, retryable: true, retryAfterMs: 0, ...more };
}

export const EXPIRED = notNow('BID_EXPIRED', 'The bid does not stand any more. Ask for bids again.');
export const TOO_LATE = notNow('BID_EXPIRED', 'The time to accept the proposal is over.');
export const GIVEN_UP = notNow('BID_EXPIRED', 'This contract was given up before.');
export const LOCK_EXPIRED = notNow('LOCK_EXPIRED', 'The lock was granted before and has run out.');
export const LOCK_GONE = notNow(
  'LOCK_EXPIRED',
  'The lock that the proposal names is not held for it any more.',
  { field: 'terms.lockVersion' },
);
export const FITS_LESS_WELL = notNow('POLICY', 'Others were asked first, on which the job sits better.', {
  field: 'request.answerFit',
});

export const draining = (later: Later): Refusal => notNow('DRAINING', 'This node takes no new work.', later);
export const runsEnough = (later: Later): Refusal =>
  notNow('BUSY', 'This node runs as many executions as it may.', later);
export const noSeat = (later: Later): Refusal =>
  notNow('BUSY', 'This node has as many negotiations open as it may.', later);
export const noPlaceLeft = (later: Later): Refusal =>
  notNow('INSUFFICIENT_RESOURCES', 'The bid offered no more places than were locked already.', later);

export const tooManyUnbegun = (later: Later): Refusal =>
  notNow(
    'BUSY',
    'This node waits for as many contracts of this requester, or of its network, to begin as it may.',
    later,
  );

export const tooManyUnsettled = (later: Later): Refusal =>
  notNow(
    'BUSY',
    'This node keeps as many ends of contracts as it may for requesters that it has not worked for and that do not take them.',
    later,
  );

/** There is room, and strangers together have what is theirs of it. That ends when they do, or when regulars stay away. */
export function keptShare(refusal: Refusal): Refusal {
  const message = `${refusal.message} The rest is kept for requesters that this node has worked for (provider.regularsPercent).`;
  return { ...refusal, code: 'KEPT_SHARE', message, retryable: true };
}

/** Capacity that was there when it was bid: `comparison` is with what is free now. */
export function taken(comparison: CapabilityComparison, later: Later): Refusal {
  const refusal = refusalOf(comparison, true);
  return { ...refusal, ...later, message: `Taken by another job in the meantime. ${refusal.message}` };
}
