import type { Asking } from '../domain/units/rate-card.ts';
import { defaultStrikeLimits, type StrikeLimits } from '../domain/trust/strike-history.ts';
import { type AdmissionLimits, defaultAdmissionLimits } from './admission/limits.ts';
import { defaultStrangerLimits, type StrangerLimits } from './locks/limits.ts';

export interface ProviderOptions {
  /** Answers requests of this very node, so that a node that is alone can serve itself. */
  readonly ownJobs: boolean;
  readonly price: Asking;
  /** Takes the lock with the bid; otherwise only when asked. */
  readonly lockOnBid: boolean;
  /** Peer ids that are served; empty means everybody. */
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  /** Of what is offered, kept for requesters that this node has worked for, as long as they ask. */
  readonly establishedPercent: number;
  readonly limits: ProviderLimits;
}

/** How much of one resource is offered: everything, a share of it, or an amount in its own unit. */
export type Offer =
  | { readonly kind: 'all' }
  | { readonly kind: 'share'; readonly percent: number }
  | { readonly kind: 'amount'; readonly amount: number };

export interface Onboarding {
  readonly cpu: Offer;
  readonly memory: Offer;
  readonly disk: Offer;
  /** All devices, none, or those with these indexes. */
  readonly gpus: 'all' | 'none' | readonly number[];
}

/** Bounds of the provider; listed in specs/limits.md. */
export interface ProviderLimits {
  /** How long a bid stands without a job request. */
  readonly bidValidMs: number;
  /** How long a lock is held without a contract. */
  readonly lockTtlMs: number;
  /** A proposal that leaves less than this of its lock's time is refused. */
  readonly lockMarginMs: number;
  /** Added to the execution deadline when a lease is committed. */
  readonly leaseGraceMs: number;
  readonly maxOpenBids: number;
  readonly maxExecutions: number;
  /** When who is refused by a node that takes no new work is to ask again. */
  readonly drainingRetryMs: number;
  readonly heartbeatMs: number;
  readonly longestHeartbeatMs: number;
  /** How long a node that stops tells its requesters of what it leaves. */
  readonly farewellMs: number;
  readonly maxOutputBytes: number;
  readonly maxOutputFiles: number;
  readonly maxInputBytes: number;
  readonly maxExecutionTimeoutMs: number;
  readonly longestStartWithinMs: number;
  /** A contract that has not begun ends when its requester was out of reach for so long. */
  readonly awayBeforeStartMs: number;
  /** So long any contract may wait for its inputs, and then for as long as they come at this pace. */
  readonly inputsGraceMs: number;
  readonly leastInputBytesPerSecond: number;
  /** Of each engine the last starts by which bids say how soon the next one is, and what they say before the first. */
  readonly startsRemembered: number;
  readonly unseenStartMs: number;
  /** What terms may ask for at most: work without its requester, and results that nobody fetched. */
  readonly longestOrphanAfterMs: number;
  readonly longestRetentionMs: number;
  readonly admission: AdmissionLimits;
  readonly strangers: StrangerLimits;
  /** Against requesters. */
  readonly strikes: StrikeLimits;
}

export const defaultProviderLimits: ProviderLimits = {
  bidValidMs: 30_000,
  lockTtlMs: 30_000,
  lockMarginMs: 500,
  leaseGraceMs: 60_000,
  maxOpenBids: 10_000,
  maxExecutions: 1000,
  drainingRetryMs: 60_000,
  heartbeatMs: 1000,
  longestHeartbeatMs: 5000,
  farewellMs: 1000,
  maxOutputBytes: 256 * 1024 * 1024,
  maxOutputFiles: 10_000,
  maxInputBytes: 4 * 1024 * 1024 * 1024,
  maxExecutionTimeoutMs: 7 * 24 * 3_600_000,
  longestStartWithinMs: 3_600_000,
  awayBeforeStartMs: 15_000,
  inputsGraceMs: 30_000,
  leastInputBytesPerSecond: 4096,
  startsRemembered: 32,
  unseenStartMs: 200,
  longestOrphanAfterMs: 24 * 3_600_000,
  longestRetentionMs: 7 * 24 * 3_600_000,
  admission: defaultAdmissionLimits,
  strangers: defaultStrangerLimits,
  strikes: defaultStrikeLimits,
};
