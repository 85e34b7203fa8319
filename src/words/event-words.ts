import type { EventReasons } from '../domain/job/job-event.ts';
import type { JobReasons } from '../domain/job/job-reason.ts';
import type { EndReasons } from '../domain/market/end-reason.ts';
import type { NegotiationReasons } from '../domain/market/negotiation-reason.ts';
import { endWords } from './end-words.ts';
import { jobWords } from './job-words.ts';
import { negotiationWords } from './negotiation-words.ts';
import { saying, type Words } from './words.ts';

export const eventWords: Words<EventReasons & JobReasons & EndReasons & NegotiationReasons> = {
  ...jobWords,
  ...endWords,
  ...negotiationWords,
  'result-waits': ({ text }) => `The result waits for room on this node: ${text}`,
};

/** What an event says beside what happened. */
export const eventSentence = saying(eventWords);
