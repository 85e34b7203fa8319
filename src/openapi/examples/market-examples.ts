import type { Bid } from '../shapes/bid.ts';
import type { Contract } from '../shapes/contract.ts';
import type { Explanation } from '../shapes/explanation.ts';
import { EXAMPLE_CID, EXAMPLE_EXECUTION, EXAMPLE_PROVIDER } from './job-examples.ts';

export const exampleBid: Bid = {
  provider: EXAMPLE_PROVIDER,
  score: 930,
  ranks: [
    {
      name: 'price',
      value: 1000,
      weight: 2,
      reason: '0.02 USD for the whole execution timeout, the cheapest',
      why: { code: 'cheapest', data: { total: '0.02', currency: 'USD' } },
    },
  ],
  price: { amount: '0.02', currency: 'USD', per: 'hour' },
  locked: true,
  state: 'selected',
};

export const exampleContract: Contract = {
  id: EXAMPLE_CID,
  state: 'ACCEPTED',
  terms: { executionId: EXAMPLE_EXECUTION, provider: EXAMPLE_PROVIDER },
  signatures: [{ signer: EXAMPLE_PROVIDER, signature: 'AAECAw==' }],
};

const { provider, score, ranks, price, locked } = exampleBid;

export const exampleExplanation: Explanation = {
  placed: true,
  winner: {
    provider,
    executionId: EXAMPLE_EXECUTION,
    score,
    reason: 'It was the only bid that could be used.',
    why: { code: 'only-bid', data: {} },
  },
  candidates: [{ provider, score, ranks, price, locked }],
  seenAtLeast: 3,
  declines: [{ code: 'NO_CAPACITY', field: 'resources.cpu', count: 2 }],
  suggestions: [],
  hints: [],
};
