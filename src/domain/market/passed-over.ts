import type { ReasonOf, Told } from '../units/reason.ts';
import type { EndReason } from './end-reason.ts';

/** Why a bid was not taken into the index. */
export type BidRefusalCode =
  | 'REQUEST_CLOSED'
  | 'UNKNOWN_REQUEST'
  | 'WRONG_JOB'
  | 'DUPLICATE_BID'
  | 'EXCLUDED_PROVIDER'
  | 'HARD_CONSTRAINT_UNMET'
  | 'OVER_BUDGET'
  | 'INVALID_PRICE'
  | 'BID_EXPIRED'
  | 'LOCK_EXPIRED'
  | 'INDEX_FULL';

/** Why a provider is passed over, beside what became of its executions. */
export interface PassedOverReasons extends Told {
  /** By the code of its no, and the field that this is about: what many can say is counted. */
  readonly 'said-no': { readonly decline: string; readonly field?: string };
  readonly 'bid-refused': { readonly refusal: BidRefusalCode };
  /** The job failed there for a reason of the provider's own. */
  readonly 'failed-here': { readonly why: EndReason };
  /** It made bids and did not stand by them. */
  readonly 'bid-not-kept': { readonly why: EndReason };
}

export type PassedOver = ReasonOf<PassedOverReasons> | EndReason;
