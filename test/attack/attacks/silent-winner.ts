import type { Attack } from '../attack.ts';
import { provide } from '../hostile-provider.ts';

const PEOPLE = 5;

/** Each proposal to it waits for an answer that never comes, and the job with it. */
export const silentWinner: Attack = {
  name: 'silent-winner',
  about: 'wins jobs of the requester with bids for nothing, and never answers a proposal',
  protocol: 'negotiation',
  costsFirstJobs: true,
  prepare: async (scene) => async (signal) => {
    await Promise.all(Array.from({ length: PEOPLE }, () => provide(scene, undefined, signal)));
  },
};
