import type { Bid } from '../market/bid.ts';
import type { Evidence } from '../market/evidence.ts';
import type { RankReason } from '../market/rank-reason.ts';
import type { PeerBehaviour } from '../trust/strikes.ts';
import type { Preference, RankerName, RankerWeights } from './weights.ts';

/** The best value a ranker gives. */
export const BEST_VALUE = 1000;

/** What a ranker gives that knows nothing: neither an advantage nor a blot. */
export const NEUTRAL_VALUE = 500;

/** A bid that counts, and when it came in (lived time). */
export interface ReceivedBid {
  readonly bid: Evidence<Bid>;
  readonly receivedAt: number;
}

export interface RankingContext {
  /** Peer id of this node: its own bid comes after every other, unless the job prefers it. */
  readonly self: string;
  readonly prefer: Preference;
  /** Providers that the job names: their bids come before all others. */
  readonly preferred?: readonly string[];
  readonly executionTimeoutMs: number;
  /** Devices that the job asks for, over all its groups. */
  readonly gpusWanted?: number;
  /** Weights of this node for `balanced`, from its configuration. */
  readonly weights?: Partial<RankerWeights>;
  /** The currency prices are compared in; where left out, the one most bids are in. */
  readonly currency?: string;
  /** What this node holds against a provider; where left out, nothing against anybody. */
  readonly behaviourOf?: (provider: string) => PeerBehaviour;
  /** The measured time to a provider and back; undefined where nobody has measured it. */
  readonly roundTripMs?: (provider: string) => number | undefined;
  /** Who has kept a contract with this node; where left out, nobody is told apart by that. */
  readonly isKnown?: (provider: string) => boolean;
  /** Who is not known and was taken at its word a moment ago: what it is worth is not told yet. */
  readonly isOnTrial?: (provider: string) => boolean;
  /** Of late those that are not known did not answer after their bids: they come after those that are. */
  readonly isWary?: boolean;
  /** Lived time, for what is held against a provider for a while; where left out, nothing is. */
  readonly now?: number;
}

/** What a ranker looks at. */
export interface Contender {
  readonly bid: Bid;
  readonly provider: string;
  /** Over the execution timeout, in billionths. */
  readonly costNano: bigint;
  readonly behaviour: PeerBehaviour;
  readonly roundTripMs: number | undefined;
}

export interface Opinion {
  /** 0 (worst) to 1000 (best), a whole number. */
  readonly value: number;
  readonly why: RankReason;
}

export interface Field {
  readonly contenders: readonly Contender[];
  readonly self: string;
  readonly preferred: ReadonlySet<string>;
  /** Those that did not answer after bids of theirs lately. */
  readonly behind: ReadonlySet<string>;
  readonly currency: string;
  readonly gpusWanted: number;
}

/** One rule of the shortlist. `prepare` looks once at all bids, what it returns judges each of them. */
export interface Ranker {
  readonly name: RankerName | 'own-node' | 'preferred' | 'silence';
  prepare(field: Field): (contender: Contender) => Opinion;
}

/** A whole number from 0 to 1000, whatever came in. */
export function boundedValue(value: number): number {
  if (!Number.isFinite(value)) return 0;
  return Math.round(Math.min(BEST_VALUE, Math.max(0, value)));
}

/** 1000 for the least time and all that are less than `noiseMs` behind it, 500 for twice as much. */
export function lessIsBetter(
  times: readonly (number | undefined)[],
  noiseMs: number,
): (timeMs: number) => number {
  const least = Math.min(...times.filter((time) => time !== undefined));
  return (timeMs) =>
    timeMs - least < noiseMs
      ? BEST_VALUE
      : boundedValue((Math.max(noiseMs, least) * BEST_VALUE) / Math.max(noiseMs, timeMs));
}
