import type { EndReasons } from '../domain/market/end-reason.ts';
import { failureCodeOf } from '../domain/market/negotiation-reason.ts';
import { durationText } from '../domain/matching/field-text.ts';
import { negotiationSentence } from './negotiation-words.ts';
import { saying, told, type Words } from './words.ts';

export const endWords: Words<EndReasons> = {
  ...told,
  'bid-not-used': () => 'The bid was not used.',
  'stopped-by-requester': () => 'Stopped by the requester.',
  'total-time-over': () => 'The total time of the job (timeouts.total) was over.',
  'provider-silent': ({ silentMs }) => `The provider was silent for ${durationText(silentMs)}.`,
  'work-overdue': () => 'The work was not done in its time.',
  'negotiation-ended': () => 'The negotiation ended before a contract was closed.',
  'no-contract': ({ why }) => `${failureCodeOf(why)}: ${negotiationSentence(why)}`,
  'provider-said': ({ text }) => text,
  'no-result-named': () => 'The provider named no result.',
  'result-not-kept': ({ text }) => `The result could not be kept on this node: ${text}`,
  'result-not-fetched': ({ text }) => `The result could not be fetched: ${text}`,
};

/** Why an execution ended. */
export const endSentence = saying(endWords);
