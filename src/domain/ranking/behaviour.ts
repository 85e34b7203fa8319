import { boundedValue, type Ranker } from './ranker.ts';

/** What this node has seen of a provider before: strikes lower it, and are forgiven with time. */
export const behaviourRanker: Ranker = {
  name: 'behaviour',
  prepare: () => (contender) => {
    const { score, strikes } = contender.behaviour;
    const tallies = strikes.map(({ kind, count }) => ({ kind, count }));
    return { value: boundedValue(score), why: { code: 'strikes', data: { tallies } } };
  },
};
