/** Bounds on what strangers can hold of this provider; listed in specs/limits.md, explained in specs/protection.md. */
export interface StrangerLimits {
  /** A share is kept for established requesters as long as one of them has asked within this, in time that the node has lived. */
  readonly establishedActiveMs: number;
  /** Locks, and contracts whose work has not begun, of one stranger: fewer when something is held against it. */
  readonly unbegunPerStranger: number;
  /** The same of all strangers from one network prefix. */
  readonly unbegunPerPrefix: number;
  /** Of all strangers together, contracts whose end they have not taken, and those that are under way. */
  readonly unsettled: number;
  /** Ends of contracts that never began that are still told; the oldest is told no more. */
  readonly unbegunEnds: number;
  /** When who has as many is to ask again. */
  readonly unbegunRetryMs: number;
  /** A lock that was asked for and became no contract counts against who asked, once it was held for so long. */
  readonly unusedLockMs: number;
  /** What terms of strangers may ask for at most: work without its requester, and results that nobody fetched. */
  readonly longestOrphanAfterMs: number;
  readonly longestRetentionMs: number;
  /** Thousandths: with no less of a standing a stranger may hold all of the share. One that crashed once or twice has it. */
  readonly forgivenStanding: number;
  /** Half of what contracts that never began say about a network prefix is gone after this. */
  readonly prefixHalfLifeMs: number;
  /** Network prefixes that are remembered for it: the one struck longest ago makes room. */
  readonly rememberedPrefixes: number;
}

export const defaultStrangerLimits: StrangerLimits = {
  establishedActiveMs: 3_600_000,
  unbegunPerStranger: 32,
  unbegunPerPrefix: 64,
  unsettled: 4096,
  unbegunEnds: 1024,
  unbegunRetryMs: 5000,
  unusedLockMs: 15_000,
  longestOrphanAfterMs: 600_000,
  longestRetentionMs: 3_600_000,
  forgivenStanding: 500,
  prefixHalfLifeMs: 600_000,
  rememberedPrefixes: 1024,
};
