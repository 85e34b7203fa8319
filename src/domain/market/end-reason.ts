import type { KeptError, Nothing, ReasonOf, Told } from '../units/reason.ts';
import type { NegotiationReason } from './negotiation-reason.ts';

/** Why an execution ended. */
export interface EndReasons extends Told {
  readonly 'bid-not-used': Nothing;
  readonly 'stopped-by-requester': Nothing;
  readonly 'total-time-over': Nothing;
  readonly 'provider-silent': { readonly silentMs: number };
  readonly 'work-overdue': Nothing;
  readonly 'negotiation-ended': Nothing;
  readonly 'no-contract': { readonly why: NegotiationReason };
  /** What the provider told of the end, in its words. */
  readonly 'provider-said': { readonly text: string };
  readonly 'no-result-named': Nothing;
  readonly 'result-not-kept': KeptError;
  readonly 'result-not-fetched': KeptError;
}

export type EndReason = ReasonOf<EndReasons>;
