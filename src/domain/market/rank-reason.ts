import type { StrikeKind } from '../trust/strikes.ts';
import type { Nothing, ReasonOf, Told } from '../units/reason.ts';

/** Why a ranker gives a bid its value. */
export interface RankReasons extends Told {
  readonly 'other-currency': { readonly currency: string; readonly comparedIn: string };
  /** Of the whole execution timeout, in decimal text. */
  readonly cheapest: { readonly total: string; readonly currency: string };
  readonly dearer: { readonly total: string; readonly currency: string; readonly cheapest: string };
  readonly 'no-soft-constraints': Nothing;
  readonly 'soft-constraints': { readonly met: number; readonly asked: number };
  readonly busy: { readonly percent: number };
  readonly 'start-not-said': Nothing;
  readonly 'starts-in': { readonly startsInMs: number };
  readonly 'fit-not-said': Nothing;
  /** Of the machine, what the job leaves of no use to another one. */
  readonly 'leaves-unused': { readonly percent: number };
  readonly 'leaves-devices': { readonly percent: number; readonly gpusFree: number; readonly gpus: number };
  /** The last provider with free devices comes after the others for a job that wants none. */
  readonly 'kept-for-devices': { readonly why: RankReason };
  readonly strikes: { readonly tallies: readonly { readonly kind: StrikeKind; readonly count: number }[] };
  readonly 'round-trip-unknown': Nothing;
  readonly 'round-trip': { readonly roundTripMs: number };
  readonly 'another-node': Nothing;
  readonly 'own-node': Nothing;
  readonly 'own-node-preferred': Nothing;
  readonly preferred: Nothing;
  readonly 'not-preferred': Nothing;
  readonly 'silent-lately': Nothing;
  readonly answers: Nothing;
}

export type RankReason = ReasonOf<RankReasons>;
