import type { Explanation } from '../../domain/explain/explanation.ts';
import type { Explanation as ExplanationView } from '../../openapi/shapes/explanation.ts';

export function viewExplanation(explanation: Explanation): ExplanationView {
  const { placed, winner, candidates, seenAtLeast, declines, nearest, suggestions } = explanation;
  return {
    placed,
    ...(winner === undefined ? {} : { winner: { ...winner } }),
    candidates: candidates.map((candidate) => ({
      ...candidate,
      ranks: candidate.ranks.map(({ name, value, weight, reason }) => ({ name, value, weight, reason })),
    })),
    seenAtLeast,
    declines: [...declines],
    ...(nearest === undefined ? {} : { nearest: { ...nearest } }),
    suggestions: [...suggestions],
  };
}
