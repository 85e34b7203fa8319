import type { RateLimit } from '../lib/token-bucket.ts';
import { type AllowanceLimits, defaultAllowanceLimits } from './allowances/limits.ts';
import type { ProtocolLimits } from './underlay.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Bounds on what peers can make this node hold or wait for; listed in specs/limits.md. */
export interface NetworkLimits {
  /** Requests and notices remembered against replay. */
  readonly seenRequests: number;
  /** Requests and notices that one neighbour hands on, before anything of them is checked. */
  readonly gossipPerNeighbour: RateLimit;
  /** As many again of those that say they are from established requesters. */
  readonly gossipOfEstablishedPerNeighbour: RateLimit;
  /** What strangers bring of their own, all of them together, before a signature is checked. */
  readonly gossipOfStrangers: RateLimit;
  /** What neighbours hand on of strangers, all together. */
  readonly gossipOfStrangersHandedOn: RateLimit;
  /** Requests that the provider is deciding on at once, and how many of those one requester can have. */
  readonly answeringRequests: number;
  readonly answeringPerRequester: number;
  /** Negotiations this provider has open, and how many of them may be dialling at once. */
  readonly offers: number;
  readonly dials: number;
  /** Out of `dials`, those that are kept for established requesters. */
  readonly dialsOfEstablished: number;
  /** A requester that could not be reached is not answered for so long, unless it connects itself. */
  readonly unreachableMs: number;
  readonly unreachableRequesters: number;
  /** Requests this node has on the air. */
  readonly openRequests: number;
  /** Subscribers that one request is sent to directly, beyond those that gossip reached. */
  readonly directSendsPerRequest: number;
  /** Closed requests that are still told apart from unknown ones. */
  readonly closedRequests: number;
  /** Questions that may wait for their turn on one negotiation. */
  readonly waitingExchanges: number;
  /** Channels kept for serving lists, and lists that may wait for one. */
  readonly servingLinks: number;
  readonly waitingReports: number;
  readonly openTimeoutMs: number;
  /** How long the other side may take for the first frame, or for an answer without a time of its own. */
  readonly answerTimeoutMs: number;
  /** How long a requester may take for a serving list: the next try must come before silence counts as a loss. */
  readonly servingAnswerTimeoutMs: number;
  /** How long a requester may keep a negotiation waiting; a bid and its lock stand no longer. */
  readonly negotiationIdleMs: number;
  readonly servingIdleMs: number;
  /** How long a byte stream may stand still, either way. */
  readonly streamStallMs: number;
  /** A log that is followed and silent for so long shows that it goes on. */
  readonly logsHeartbeatMs: number;
  readonly allowances: AllowanceLimits;
  readonly protocols: {
    readonly request: ProtocolLimits;
    readonly negotiation: ProtocolLimits;
    readonly contract: ProtocolLimits;
    readonly serving: ProtocolLimits;
    readonly content: ProtocolLimits;
    readonly logs: ProtocolLimits;
  };
}

export const defaultNetworkLimits: NetworkLimits = {
  seenRequests: 65_536,
  gossipPerNeighbour: { burst: 1024, perSecond: 1024 },
  gossipOfEstablishedPerNeighbour: { burst: 512, perSecond: 128 },
  gossipOfStrangers: { burst: 64, perSecond: 128 },
  gossipOfStrangersHandedOn: { burst: 1024, perSecond: 1024 },
  answeringRequests: 256,
  answeringPerRequester: 64,
  offers: 1024,
  dials: 32,
  dialsOfEstablished: 24,
  unreachableMs: 30_000,
  unreachableRequesters: 4096,
  openRequests: 1024,
  directSendsPerRequest: 1024,
  closedRequests: 4096,
  waitingExchanges: 64,
  servingLinks: 512,
  waitingReports: 4,
  openTimeoutMs: 10_000,
  answerTimeoutMs: 10_000,
  servingAnswerTimeoutMs: 3000,
  negotiationIdleMs: 60_000,
  servingIdleMs: 300_000,
  streamStallMs: 30_000,
  logsHeartbeatMs: 15_000,
  allowances: defaultAllowanceLimits,
  protocols: {
    request: { maxFrameBytes: 64 * KIB, maxChannelsPerPeer: 64, maxChannels: 512 },
    negotiation: { maxFrameBytes: 2 * MIB, maxChannelsPerPeer: 256, maxChannels: 4096 },
    contract: { maxFrameBytes: 64 * KIB, maxChannelsPerPeer: 16, maxChannels: 256 },
    serving: { maxFrameBytes: 2 * MIB + 4 * KIB, maxChannelsPerPeer: 4, maxChannels: 512 },
    content: { maxFrameBytes: MIB + 64 * KIB, maxChannelsPerPeer: 16, maxChannels: 128 },
    logs: { maxFrameBytes: 128 * KIB, maxChannelsPerPeer: 16, maxChannels: 128 },
  },
};

export interface NetworkOptions {
  /** The network's name: see `networkName`. */
  readonly network: string;
  /** Whether this node's own provider belongs to the audience of its requests. */
  readonly ownJobs: boolean;
  readonly limits?: Partial<NetworkLimits>;
}
