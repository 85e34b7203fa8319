import type { Nothing, ReasonOf } from '../units/reason.ts';
import type { Decline } from './bid.ts';

/** A provider's no. `text` is what it said itself: another node's words, to be shown as such. */
export interface DeclineSaid {
  readonly decline: Decline['code'];
  readonly text: string;
  readonly field?: string;
  readonly required?: string;
  readonly available?: string;
}

/** Why a bid did not become a contract. */
export interface NegotiationReasons {
  readonly declined: DeclineSaid;
  readonly 'lock-missing': Nothing;
  readonly 'bid-changed': Nothing;
  readonly 'lock-changed': Nothing;
  readonly 'negotiation-over': Nothing;
  readonly 'proposal-not-sent': Nothing;
  /** This node does not let the provider take part. */
  readonly 'provider-not-let-in': { readonly text: string };
  readonly 'provider-not-checked': { readonly text: string };
  /** The provider signed that it has not accepted, and never will. */
  readonly 'contract-never': { readonly text: string };
  readonly 'no-answer': { readonly error: string; readonly text: string };
  /** It could not be asked what became of a proposal. */
  readonly 'provider-not-asked': { readonly text: string };
}

export type NegotiationReason = ReasonOf<NegotiationReasons>;

/** The code by which events and ends name such a failure; those of declines are the provider's. */
export function failureCodeOf({ code, data }: NegotiationReason): string {
  switch (code) {
    case 'declined':
      return data.decline;
    case 'no-answer':
      return data.error;
    case 'lock-missing':
      return 'LOCK_MISSING';
    case 'bid-changed':
    case 'lock-changed':
      return 'BID_CHANGED';
    case 'negotiation-over':
    case 'proposal-not-sent':
      return 'NEGOTIATION_LOST';
    case 'provider-not-let-in':
    case 'provider-not-checked':
      return 'NOT_VERIFIED';
    case 'contract-never':
      return 'NEVER';
    case 'provider-not-asked':
      return 'NEGOTIATION_TIMEOUT';
  }
}

export function declined({ code, message, field, required, available }: Decline): NegotiationReason {
  return {
    code: 'declined',
    data: {
      decline: code,
      text: message,
      ...(field === undefined ? {} : { field }),
      ...(required === undefined ? {} : { required }),
      ...(available === undefined ? {} : { available }),
    },
  };
}
