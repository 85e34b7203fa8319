import type { Bid, Decline } from './bid.ts';
import type { Evidence } from './evidence.ts';
import type { BidRefusalCode, PassedOver } from './passed-over.ts';
import type { RankReason } from './rank-reason.ts';

/** One ranker's opinion of one bid: 0 (worst) to 1000 (best), with the reason for it. */
export interface Rank {
  readonly name: string;
  readonly value: number;
  readonly weight: number;
  readonly why: RankReason;
}

/** One bidder in the index, with everything that led to its place. */
export interface EligibleComputeProviderData {
  readonly provider: string;
  readonly bid: Evidence<Bid>;
  readonly receivedAt: number;
  /** Weighted mean of the ranks, in thousandths. */
  readonly score: number;
  /** It has kept a contract with this node. */
  readonly known?: true;
  readonly ranks: readonly Rank[];
}

/** Whether a bid does not bind its provider any more: it says from receipt for how long it does. */
export function hasRunOut(
  { bid, receivedAt }: Pick<EligibleComputeProviderData, 'bid' | 'receivedAt'>,
  now: number,
): boolean {
  return now >= receivedAt + bid.value.validForMs;
}

/** Why a search took no more bids. */
export type SearchCloseReason = 'enough' | 'everyone-answered' | 'timeout' | 'cancelled' | 'interrupted';

/** A bid that was not taken into the index. */
export interface RefusedBid {
  readonly provider: string;
  readonly code: BidRefusalCode;
}

/** Bids for one request, ranked best first: the requester's EligibleComputeProvidersIndex. */
export interface EligibleComputeProvidersIndex {
  readonly entries: readonly EligibleComputeProviderData[];
  readonly declines: readonly { readonly provider: string; readonly decline: Decline }[];
  readonly refused: readonly RefusedBid[];
}

/** A provider that will not be asked again for this job: it said no in an earlier round, and that will not change. */
export interface RuledOut {
  readonly provider: string;
  readonly why: PassedOver;
  /** It failed on this job instead, or did not stand by its bid: it is asked again later, or when nobody else is known. */
  readonly failed?: true;
}

/** What this node knew of the providers when nobody had a request: why none of them was asked. */
export interface Unheard {
  readonly known: number;
  readonly fitting: number;
  /** The fields that kept out those that do not fit, nearest first. */
  readonly misses: readonly string[];
}

/** One search round of a job, as it is kept. */
export interface Search {
  readonly requestId: string;
  readonly jobId: string;
  readonly round: number;
  readonly state: 'waiting' | 'open' | 'closed';
  readonly slots: number;
  readonly exclude: readonly string[];
  /** Those of `exclude` that are there for what they said, newest first. */
  readonly ruledOut?: readonly RuledOut[];
  readonly openedAt: number;
  readonly closedAt?: number;
  readonly closeReason?: SearchCloseReason;
  /** There may be providers that could take the job and were not asked to answer in this round. */
  readonly partial?: boolean;
  /** Rounds in a row, this one included, since one of the job's bids became a contract. */
  readonly fruitlessRounds: number;
  /** When the first of those rounds was opened: the queue timeout counts from there. */
  readonly fruitlessSince: number;
  /** Providers that were reached by the request, as far as this node knows: a lower bound. */
  readonly seenAtLeast: number;
  /** In this round or one before it, a known provider could have taken the job but for want of room. */
  readonly roomMayCome?: true;
  /** Where nobody was reached. */
  readonly unheard?: Unheard;
  /** Networks that connected nodes are of and this node is not: nobody there can be asked. Left out where there is none. */
  readonly otherNetworks?: readonly string[];
  readonly index: EligibleComputeProvidersIndex;
}

export const EMPTY_INDEX: EligibleComputeProvidersIndex = { entries: [], declines: [], refused: [] };
