import type { BidFit } from '../matching/bid-fit.ts';
import type { Requirements } from '../matching/requirements.ts';
import type { CapabilityComparison } from '../matching/comparison.ts';
import type { Price } from '../units/money.ts';
import type { RefusalReason } from './refusal-reason.ts';

/** How to reach a node: a signed libp2p peer record as bytes, opaque to everything but the network. */
export type PeerRecordBytes = Uint8Array;

/** Providers that a request may leave out. */
export const MOST_EXCLUDED = 128;

export interface BidRequest {
  readonly requestId: string;
  readonly jobId: string;
  readonly jobDigest: string;
  readonly round: number;
  readonly requirements: Requirements;
  readonly budget?: Price;
  /** Program and inputs together: what a provider has to fetch before it starts. */
  readonly inputBytes?: number;
  /** Partitions that are to be placed. */
  readonly slots: number;
  readonly wantedBids: number;
  /** How long bids are taken, from the receiver's own clock at receipt. */
  readonly windowMs: number;
  /** In (0, 1]: a provider answers only when its hash falls under it. */
  readonly answerShare: number;
  /**
   * How well the job sits on the providers that are to answer, by `answerFit` in thousandths: those below `least`
   * make no bid in this round, the `best` that is known does not wait. Left out: nobody is kept out for it.
   */
  readonly answerFit?: { readonly least: number; readonly best: number };
  /** True on small networks: every provider in the answer share answers, also with a no. */
  readonly answerAlways: boolean;
  /** In [0, 1], on large networks: of the providers connected with the requester, those that answer with a no. */
  readonly declineShare?: number;
  readonly exclude: readonly string[];
  /** The job is only tried: bids are looked at and none is used, so nothing is to be locked for them. */
  readonly trial?: true;
  /** Who is to answer whatever the share and the fit, also with a no, by `reachedTag`: those that the requester knows best. */
  readonly invited?: readonly string[];
  /** On small networks: who gets it from the requester itself, by `reachedTag`. What all have nobody forwards. */
  readonly reached?: readonly string[];
  /** What the requester's node can do: see `NODE_FEATURES`. */
  readonly features?: readonly string[];
  readonly requesterRecord: PeerRecordBytes;
}

export interface BidTime {
  /** How long the provider lets the work run at most. */
  readonly durationMs: number;
  /** How late it may start after the contract: a deadline, and no estimate. */
  readonly startWithinMs: number;
}

/** A lock as the requester sees it. `version` is the fencing token that the proposal must name. */
export interface LockGrant {
  readonly lockId: string;
  readonly version: number;
  readonly ttlMs: number;
}

export interface Bid {
  readonly bidId: string;
  readonly requestId: string;
  readonly jobId: string;
  readonly price: Price;
  readonly time: BidTime;
  /** How long it would take from the contract to the start, as far as the provider can tell. */
  readonly startsInMs?: number;
  /** From receipt, on the receiver's clock. */
  readonly validForMs: number;
  /** Partitions this provider could take at once. */
  readonly slots: number;
  readonly comparison: CapabilityComparison;
  /** 0 (idle) to 1 (full), after this job. */
  readonly load: number;
  /** Without it the provider's place is not judged by fragmentation. */
  readonly fit?: BidFit;
  /** Present when capacity is held already: the job request can be skipped. */
  readonly lock?: LockGrant;
  /** Set in the re-submitted bid that answers a job request. */
  readonly executionId?: string;
  readonly providerRecord: PeerRecordBytes;
}

/** The job request: take the lock for this execution. Idempotent by (executionId, attempt). */
export interface JobRequest {
  readonly requestId: string;
  readonly bidId: string;
  readonly executionId: string;
  readonly attempt: number;
}

export type DeclineStage = 'bid' | 'job-request' | 'contract' | 'invocation';

/** Why not. A closed set: codes are API. */
export type DeclineCode =
  | 'INSUFFICIENT_RESOURCES'
  /** There would be room, and it is kept for requesters that the provider has worked for. */
  | 'KEPT_SHARE'
  | 'CONSTRAINT_UNMET'
  | 'ENGINE_UNAVAILABLE'
  | 'POLICY'
  | 'BUSY'
  | 'DRAINING'
  | 'PRICE'
  | 'NOT_VERIFIED'
  | 'BID_EXPIRED'
  | 'LOCK_EXPIRED'
  | 'REQUEST_CLOSED'
  | 'DUPLICATE'
  | 'RATE_LIMITED'
  | 'INVALID'
  | 'INTERNAL';

interface No {
  readonly code: DeclineCode;
  readonly field?: string;
  readonly required?: string;
  readonly available?: string;
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
}

/** A no as its provider decides it. */
export interface Refusal extends No {
  readonly why: RefusalReason;
}

/** A policy's answer: yes, or no with the reason. */
export type Verdict = { readonly ok: true } | ({ readonly ok: false } & Refusal);

const FULL_FOR_NOW: ReadonlySet<DeclineCode> = new Set(['INSUFFICIENT_RESOURCES', 'KEPT_SHARE', 'BUSY']);

/** A no that will be over when less runs there: waiting helps. */
export function isNoRoom({ code, retryable }: Pick<No, 'code' | 'retryable'>): boolean {
  return retryable && FULL_FOR_NOW.has(code);
}

/** A no as it is told: `message` is what the provider says of it, in its words. */
export interface Decline extends No {
  readonly message: string;
  readonly requestId: string;
  readonly jobId: string;
  readonly stage: DeclineStage;
}

/** The sender's notice that a request takes no more bids. */
export interface SearchClosed {
  readonly requestId: string;
}
