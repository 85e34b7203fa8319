import { type Bid, type Decline, isNoRoom } from '../../domain/market/bid.ts';
import type { Evidence } from '../../domain/market/evidence.ts';
import { declined, failureCodeOf, type NegotiationReason } from '../../domain/market/negotiation-reason.ts';
import { type Execution, observe } from '../../domain/market/execution.ts';
import type { JobEventDraft } from '../../domain/job/job-event.ts';
import { encodeCanonical, sameBytes } from '../../lib/canonical.ts';
import { declineData } from '../decline-data.ts';

/** What came of a job request. */
export type LockAnswer =
  | { readonly kind: 'locked'; readonly bid: Evidence<Bid> }
  | { readonly kind: 'declined'; readonly decline: Decline }
  | { readonly kind: 'failed'; readonly why: NegotiationReason };

/** How long the answer to a job request was waited for, and how long it could have been. */
export interface Waited {
  readonly timeoutMs: number;
  readonly elapsedMs: number;
}

/** The re-submitted bid must be the one that won, with a lock for this execution: its price and times are decided. */
export function readLockAnswer(
  answer: Evidence<Bid> | Evidence<Decline>,
  execution: Execution,
  accepted: Bid | undefined,
): LockAnswer {
  if (isDecline(answer)) return { kind: 'declined', decline: answer.value };
  const { value } = answer;
  if (value.lock === undefined) return failed({ code: 'lock-missing', data: {} });
  const same =
    accepted !== undefined &&
    value.bidId === execution.bidId &&
    value.jobId === execution.jobId &&
    value.executionId === execution.id &&
    equal(value.price, execution.price) &&
    equal(value.time, accepted.time);
  return same ? { kind: 'locked', bid: answer } : failed({ code: 'bid-changed', data: {} });
}

/** AskForBid -> AskForBidAccepted or AskForBidRejected; undefined in any other state. */
export function lockFact(
  current: Execution,
  answer: LockAnswer,
  waited: Waited,
  now: number,
): { readonly execution: Execution; readonly event: JobEventDraft } | undefined {
  if (current.observed.state !== 'AskForBid') return undefined;
  const lock = answer.kind === 'locked' ? answer.bid.value.lock : undefined;
  if (lock !== undefined) {
    return {
      execution: observe(current, { state: 'AskForBidAccepted', lock }),
      event: { type: 'lock.acquired', at: now },
    };
  }
  const why = whyNot(answer);
  const code = failureCodeOf(why);
  const forGood = answer.kind === 'declined' && !answer.decline.retryable;
  const end = {
    finishedAt: now,
    exitReason: 'denied' as const,
    why: { code: 'no-contract', data: { why } } as const,
    ...(forGood ? { forGood } : {}),
    ...(answer.kind === 'declined' && isNoRoom(answer.decline) ? { noRoom: true as const } : {}),
    ...(code === 'NEGOTIATION_TIMEOUT' ? { silent: true as const } : {}),
  };
  return {
    execution: { ...observe(current, { state: 'AskForBidRejected', end }), desired: 'Stopped' },
    event: {
      type: answer.kind === 'declined' ? 'lock.declined' : 'lock.timeout',
      at: now,
      code,
      why,
      data: answer.kind === 'declined' ? declineData(answer.decline) : { stage: 'job-request', ...waited },
    },
  };
}

export function failed(why: NegotiationReason): LockAnswer {
  return { kind: 'failed', why };
}

/** Why an answer gives no lock. */
export function whyNot(answer: LockAnswer): NegotiationReason {
  switch (answer.kind) {
    case 'declined':
      return declined(answer.decline);
    case 'failed':
      return answer.why;
    case 'locked':
      return { code: 'lock-missing', data: {} };
  }
}

function isDecline(answer: Evidence<Bid> | Evidence<Decline>): answer is Evidence<Decline> {
  return answer.type === 'decline';
}

function equal(a: unknown, b: unknown): boolean {
  return sameBytes(encodeCanonical(a), encodeCanonical(b));
}
