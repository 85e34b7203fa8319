import { BEST_VALUE, type Ranker } from './ranker.ts';

/**
 * Says in the ranks why this node's own bid comes last. It has no weight: the order itself puts own bids behind
 * all others, whatever their scores.
 */
export const ownNodeRanker: Ranker = {
  name: 'own-node',
  prepare:
    ({ self }) =>
    ({ provider }) =>
      provider === self
        ? { value: 0, reason: 'this node itself: comes after every other provider' }
        : { value: BEST_VALUE, reason: 'another node' },
};
