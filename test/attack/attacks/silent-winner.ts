import type { Attack } from '../attack.ts';
import { provide } from '../hostile-provider.ts';

/** Each proposal to it waits for an answer that never comes, and the job with it. */
export const silentWinner: Attack = {
  name: 'silent-winner',
  about: 'wins jobs of the requester with bids for nothing, and never answers a proposal',
  protocol: 'negotiation',
  prepare: async (scene) => (signal) => provide(scene, undefined, signal),
};
