import type { PeerBehaviour, StrikeKind } from '../trust/strikes.ts';
import { BEST_VALUE, type Ranker } from './ranker.ts';

/** What a provider did that bid and did not stand by it. */
const SILENCES: ReadonlySet<StrikeKind> = new Set(['lock-timeout', 'contract-abandoned']);

/** So long after one time it comes after the others, and twice as long after each one more that is not forgiven. */
const FIRST_BEHIND_MS = 60_000;
const LONGEST_BEHIND_MS = 60 * 60_000;
const MOST_DOUBLINGS = 10;

/** Until when (lived time) the bids of a provider come after those of others; 0 for one that stood by its bids. */
export function behindUntil({ strikes }: PeerBehaviour): number {
  const silences = strikes.filter(({ kind }) => SILENCES.has(kind));
  const times = silences.reduce((sum, { count }) => sum + count, 0);
  if (times === 0) return 0;
  const forMs = FIRST_BEHIND_MS * 2 ** Math.min(MOST_DOUBLINGS, times - 1);
  return Math.max(...silences.map(({ lastAt }) => lastAt)) + Math.min(LONGEST_BEHIND_MS, forMs);
}

/**
 * Says in the ranks why a bid comes after the others. It has no weight: a good bid of one that does not answer
 * afterwards is worth nothing, however good it is.
 */
export const silenceRanker: Ranker = {
  name: 'silence',
  prepare:
    ({ behind }) =>
    ({ provider }) =>
      behind.has(provider)
        ? { value: 0, why: { code: 'silent-lately', data: {} } }
        : { value: BEST_VALUE, why: { code: 'answers', data: {} } },
};
