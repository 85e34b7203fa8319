import { z } from '@hono/zod-openapi';
import type { Explanation } from '../../domain/explain/explanation.ts';
import { rankView } from './bid-view.ts';
import { priceView } from './job-view.ts';

export const explanationView = z
  .object({
    placed: z.boolean(),
    winner: z
      .object({
        provider: z.string(),
        executionId: z.string().optional(),
        score: z.number(),
        reason: z.string(),
      })
      .optional(),
    candidates: z.array(
      z.object({
        provider: z.string(),
        score: z.number(),
        ranks: z.array(rankView),
        price: priceView,
        locked: z.boolean(),
      }),
    ),
    seenAtLeast: z.number().int(),
    declines: z.array(z.object({ code: z.string(), field: z.string().optional(), count: z.number().int() })),
    nearest: z
      .object({
        field: z.string(),
        required: z.string(),
        available: z.string(),
        providers: z.number().int(),
      })
      .optional(),
    suggestions: z.array(z.string()),
  })
  .openapi('Explanation');

export function viewExplanation(explanation: Explanation): z.infer<typeof explanationView> {
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
