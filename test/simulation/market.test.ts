import { expect, it } from 'vitest';
import { runScale, wantedBids } from '../bench/market-scene.ts';

/** The budgets of `npm run bench -- market-scale`, at a size that is quick. */
it.each(['identical', 'mixed'] as const)(
  'a job on a network of 50 %s providers costs little and goes to one of the best',
  { timeout: 30_000 },
  async (fleet) => {
    const result = await runScale({ nodes: 50, fleet, jobs: 10 });
    const { winnerPercentiles } = result;
    const mean = winnerPercentiles.reduce((sum, one) => sum + one, 0) / winnerPercentiles.length;
    expect(result.satisfiable).toBeGreaterThanOrEqual(8);
    expect(result.successRate).toBe(1);
    expect(result.bidsHandledPerJob).toBeGreaterThanOrEqual(1);
    expect(result.bidsHandledPerJob).toBeLessThanOrEqual(2 * wantedBids);
    expect(mean).toBeLessThanOrEqual(0.1);
    expect(result.messagesPerNodePerJob).toBeLessThan(4);
  },
);

it('strangers of a network that a node has just joined are proven by their answers, and asked as few', {
  timeout: 30_000,
}, async () => {
  const result = await runScale({ nodes: 150, fleet: 'identical', jobs: 12 });
  expect(result.successRate).toBe(1);
  expect(result.bidsHandledPerJob).toBeLessThanOrEqual(2 * wantedBids);
});
