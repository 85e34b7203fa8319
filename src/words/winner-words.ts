import type { Winner, WinnerReasons } from '../domain/explain/winner.ts';
import { endSentence } from './end-words.ts';
import { rankPhrase } from './rank-words.ts';
import { asSentence, saying, type Words } from './words.ts';

export const winnerWords: Words<WinnerReasons> = {
  'holds-contract': () => 'It holds the contract.',
  'better-declined': ({ better }) =>
    `${better} better ranked did not take the job; of the rest it was the best.`,
  'only-bid': () => 'It was the only bid that could be used.',
  'job-prefers-it': () => 'The job prefers it: it comes before the others, whatever the scores.',
  'next-is-silent': () =>
    'The next one, or others as little known, did not answer after the last bids: it comes after the others for a while, whatever the scores.',
  'next-is-own-node': () =>
    'It is another node: this node itself comes after all others, whatever the scores.',
  'equal-scores': ({ score }) =>
    `Its score of ${score} equals that of the next one; the tie went by cost, behaviour and load, and then by turns.`,
  'higher-score': ({ score, nextScore, ranker, why }) =>
    `Its score of ${score} beats ${nextScore} of the next one, most of all by ${ranker}: ${asSentence(rankPhrase(why))}`,
};

const winnerSentence = saying(winnerWords);

/** Why the winner is the winner, and how its contract ended where it does not stand any more. */
export function winnerText({ why, ended }: Pick<Winner, 'why' | 'ended'>): string {
  const sentence = winnerSentence(why);
  if (ended === undefined) return sentence;
  return `${sentence} Its contract is over (${ended.exitReason}): ${asSentence(endSentence(ended.why))}`;
}
