import { BEST_VALUE, type Ranker } from './ranker.ts';

/**
 * Says in the ranks why a bid comes first. It has no weight: the order itself puts the providers that the job names
 * before all others, whatever their scores.
 */
export const preferredRanker: Ranker = {
  name: 'preferred',
  prepare:
    ({ preferred }) =>
    ({ provider }) =>
      preferred.has(provider)
        ? { value: BEST_VALUE, why: { code: 'preferred', data: {} } }
        : { value: 0, why: { code: 'not-preferred', data: {} } },
};
