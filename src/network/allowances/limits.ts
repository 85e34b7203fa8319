import type { RateLimit } from '../../lib/token-bucket.ts';

/**
 * What peers may cost this node, in milliseconds of a processor; listed in specs/limits.md, explained in
 * specs/protection.md.
 */
export interface AllowanceLimits {
  /** Of each peer that this node does not know. */
  readonly perStranger: RateLimit;
  /** Of all strangers of one network prefix. */
  readonly perPrefix: RateLimit;
  /** Of all strangers together. */
  readonly strangersInTotal: RateLimit;
  /** Of each peer that this node knows, apart from all of the above. */
  readonly perKnownPeer: RateLimit;
  /**
   * Of all known peers together, and what each of them has all the same when that is used up: a history is no more than
   * one small job, so many may have one that do not deserve it.
   */
  readonly knownInTotal: RateLimit;
  readonly assuredPerKnownPeer: RateLimit;
  /**
   * The same two while a known peer is at work with this node: small bursts, so that what it asks never waits long behind
   * what strangers do. Strangers above it are read a moment later, and lose nothing by it.
   */
  readonly perPrefixBesideKnown: RateLimit;
  readonly strangersBesideKnown: RateLimit;
  /** What neighbours hand on of others in good order, of all of them together; beyond it they pay for it themselves. */
  readonly handedOn: RateLimit;
  /** What an allowance may owe, in times its burst. */
  readonly mostDebt: number;
  /** A channel waits so long for something to be left, then it is dropped. */
  readonly longestWaitMs: number;
  /** Channels that wait for that, in total and of one peer: one more is dropped at once. */
  readonly waitingChannels: number;
  readonly waitingPerPeer: number;
  /** A peer in debt is not read at all for so long at most; then it is looked at again. */
  readonly longestHoldMs: number;
  /** What each peer may do wrong: beyond it, it is restrained. */
  readonly faults: RateLimit;
  /** A known peer that is restrained counts as a stranger for so long. */
  readonly distrustMs: number;
  /** Peers, and prefixes, whose allowances are remembered: the one idle longest starts afresh. */
  readonly rememberedPeers: number;
  readonly rememberedPrefixes: number;
  /** How often the operator is told of peers that are held back. */
  readonly toldEveryMs: number;
}

export const defaultAllowanceLimits: AllowanceLimits = {
  perStranger: { burst: 400, perSecond: 200 },
  perPrefix: { burst: 600, perSecond: 250 },
  strangersInTotal: { burst: 1000, perSecond: 330 },
  perKnownPeer: { burst: 3000, perSecond: 600 },
  knownInTotal: { burst: 1500, perSecond: 600 },
  assuredPerKnownPeer: { burst: 400, perSecond: 60 },
  perPrefixBesideKnown: { burst: 15, perSecond: 90 },
  strangersBesideKnown: { burst: 30, perSecond: 150 },
  handedOn: { burst: 300, perSecond: 150 },
  mostDebt: 2,
  longestWaitMs: 5000,
  waitingChannels: 256,
  waitingPerPeer: 16,
  longestHoldMs: 5000,
  faults: { burst: 64, perSecond: 8 },
  distrustMs: 60_000,
  rememberedPeers: 8192,
  rememberedPrefixes: 4096,
  toldEveryMs: 60_000,
};
