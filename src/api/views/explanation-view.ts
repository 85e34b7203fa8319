import type { Explanation } from '../../domain/explain/explanation.ts';
import type { Winner } from '../../domain/explain/winner.ts';
import type { Explanation as ExplanationView } from '../../openapi/shapes/explanation.ts';
import { suggestionSentence } from '../../words/suggestion-words.ts';
import { winnerText } from '../../words/winner-words.ts';
import { viewRank } from './bid-view.ts';
import { viewWhy } from './why-view.ts';

export function viewExplanation(explanation: Explanation): ExplanationView {
  const { placed, winner, candidates, seenAtLeast, declines, nearest, suggestions } = explanation;
  return {
    placed,
    ...(winner === undefined ? {} : { winner: viewWinner(winner) }),
    candidates: candidates.map((candidate) => ({
      ...candidate,
      ranks: candidate.ranks.map(viewRank),
    })),
    seenAtLeast,
    declines: [...declines],
    ...(nearest === undefined ? {} : { nearest: { ...nearest } }),
    suggestions: suggestions.map(suggestionSentence),
    hints: suggestions.map(viewWhy),
  };
}

function viewWinner({
  provider,
  executionId,
  score,
  why,
  ended,
}: Winner): NonNullable<ExplanationView['winner']> {
  return {
    provider,
    ...(executionId === undefined ? {} : { executionId }),
    score,
    reason: winnerText(ended === undefined ? { why } : { why, ended }),
    why: viewWhy(why),
    ...(ended === undefined ? {} : { ended: { exitReason: ended.exitReason, why: viewWhy(ended.why) } }),
  };
}
