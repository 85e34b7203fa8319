import { BEST_VALUE, boundedValue, type Ranker } from './ranker.ts';

const PERCENT = 100;

/** Idle machines first: what is left free once the job runs there. */
export const loadRanker: Ranker = {
  name: 'load',
  prepare: () => (contender) => {
    const value = boundedValue((1 - contender.bid.load) * BEST_VALUE);
    const percent = Math.round(PERCENT - (value * PERCENT) / BEST_VALUE);
    return { value, why: { code: 'busy', data: { percent } } };
  },
};
