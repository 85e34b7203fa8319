import { boundedValue, type Ranker } from './ranker.ts';

/** What this node has seen of a provider before: strikes lower it, and are forgiven with time. */
export const behaviourRanker: Ranker = {
  name: 'behaviour',
  prepare: () => (contender) => {
    const { score, strikes } = contender.behaviour;
    const words = strikes.map(({ kind, count }) => `${kind} ${count}`).join(', ');
    return { value: boundedValue(score), reason: words === '' ? 'no strikes' : `strikes: ${words}` };
  },
};
