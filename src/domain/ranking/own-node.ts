import { BEST_VALUE, type Ranker } from './ranker.ts';

/**
 * Says in the ranks why this node's own bid comes last. It has no weight: the order itself puts own bids behind
 * all others, whatever their scores, unless the job asks for this node by name.
 */
export const ownNodeRanker: Ranker = {
  name: 'own-node',
  prepare:
    ({ self, preferred }) =>
    ({ provider }) => {
      if (provider !== self) return { value: BEST_VALUE, why: { code: 'another-node', data: {} } };
      return preferred.has(self)
        ? { value: BEST_VALUE, why: { code: 'own-node-preferred', data: {} } }
        : { value: 0, why: { code: 'own-node', data: {} } };
    },
};
