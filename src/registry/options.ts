/** Bounds and times of the peer table; listed in specs/registry.md. */
export interface RegistryLimits {
  /** Providers in the table. */
  readonly maxPeers: number;
  /** Signers whose newest sequence is remembered, in the table or not. */
  readonly rememberedSigners: number;
  /** How many of the smallest hashes the size of the network is estimated from. */
  readonly sampledPeers: number;
  /** How often a node of a small network tells of itself. */
  readonly baseIntervalMs: number;
  /** What each further provider adds to the interval: its inverse is the adverts that every node hears in a second. */
  readonly intervalPerPeerMs: number;
  readonly longestIntervalMs: number;
  /** Between two adverts of this node, whatever has changed. */
  readonly minPublishGapMs: number;
  /** Between two adverts of one signer that are taken from it; more on large networks. */
  readonly minHeardGapMs: number;
  /** An advert is believed for no longer than this, whatever it says. */
  readonly longestValidityMs: number;
  /** And that of a provider which this node has never been in touch with for no longer than this, or than it is known. */
  readonly newcomerValidityMs: number;
  /** Providers that this node has been in touch with, and as many that kept contracts, that are remembered. */
  readonly seenProviders: number;
  /** Half of what was learned of how many strangers answer is forgotten after this. */
  readonly turnoutHalfLifeMs: number;
  /** Answers of strangers that were due count up to here. */
  readonly turnoutCounted: number;
  /** Changes are written to disk this long after the first of them, and at the stop. */
  readonly persistEveryMs: number;
  readonly persistBatch: number;
  /** On a network of up to so many providers a node connects to each that it hears of. */
  readonly meetUpTo: number;
  /** Providers that it has never been in touch with are dialled at most `meetUpTo` at once, and then one in so long. */
  readonly meetEveryMs: number;
  /** So long after it met somebody a node may not have heard of everybody; others then hear its requests only through others. */
  readonly settlingMs: number;
  /** Providers that nobody has met, for whose bids a search of a settled small network waits; more are a crowd. */
  readonly strangersWaitedFor: number;
  /** Adverts that one question for candidates, or for an explanation, is compared with. */
  readonly comparedPerCall: number;
}

export interface RegistryOptions {
  /** Whether this node's own provider is a candidate for its own jobs. */
  readonly ownJobs: boolean;
  /** Peers that stay in a full table. */
  readonly preferredPeers: readonly string[];
  readonly limits: RegistryLimits;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

export const defaultRegistryLimits: RegistryLimits = {
  maxPeers: 2000,
  rememberedSigners: 8192,
  sampledPeers: 1024,
  baseIntervalMs: 15_000,
  intervalPerPeerMs: 1500,
  longestIntervalMs: 8 * HOUR_MS,
  minPublishGapMs: 2000,
  minHeardGapMs: 1000,
  longestValidityMs: 24 * HOUR_MS,
  newcomerValidityMs: 10 * MINUTE_MS,
  seenProviders: 4096,
  turnoutHalfLifeMs: 10 * MINUTE_MS,
  turnoutCounted: 256,
  persistEveryMs: MINUTE_MS,
  persistBatch: 512,
  meetUpTo: 32,
  meetEveryMs: 10_000,
  settlingMs: 20_000,
  strangersWaitedFor: 3,
  comparedPerCall: 1000,
};
