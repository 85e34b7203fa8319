import type { NegotiationReasons } from '../domain/market/negotiation-reason.ts';
import { saying, type Words } from './words.ts';

export const negotiationWords: Words<NegotiationReasons> = {
  declined: ({ text }) => text,
  'lock-missing': () => 'The provider answered without a lock.',
  'bid-changed': () => 'The provider answered with another bid than it made.',
  'lock-changed': () => 'The provider gave another lock than the one it had granted.',
  'negotiation-over': () => 'The negotiation is over.',
  'proposal-not-sent': () => 'The proposal was never sent.',
  'provider-not-let-in': ({ text }) => text,
  'provider-not-checked': ({ text }) => `The provider could not be checked: ${text}`,
  'contract-never': ({ text }) => text,
  'no-answer': ({ text }) => text,
  'provider-not-asked': ({ text }) => `The provider could not be asked: ${text}`,
};

/** Why a bid did not become a contract. */
export const negotiationSentence = saying(negotiationWords);
