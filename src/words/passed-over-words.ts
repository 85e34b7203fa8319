import type { EndReasons } from '../domain/market/end-reason.ts';
import type { PassedOverReasons } from '../domain/market/passed-over.ts';
import { endSentence, endWords } from './end-words.ts';
import { saying, type Words } from './words.ts';

export const passedOverWords: Words<PassedOverReasons & EndReasons> = {
  ...endWords,
  'said-no': ({ decline, field }) => (field === undefined ? decline : `${decline} (${field})`),
  'bid-refused': ({ refusal }) => refusal,
  'failed-here': ({ why }) => `Failed here (internal): ${endSentence(why)}`,
  'bid-not-kept': ({ why }) => `Bid, and then: ${endSentence(why)}`,
};

/** Why a provider was passed over, to stand in a list. */
export const passedOverPhrase = saying(passedOverWords);
