import { type GossipsubOpts, type Message, StrictNoSign } from '@libp2p/gossipsub';
import { createTopicScoreParams } from '@libp2p/gossipsub/score';
import { createHash } from 'node:crypto';
import type { Libp2pLimits } from './options.ts';

/** Neighbours a message is forwarded to. `high` is generous, so that one bootstrap node serves a small network. */
const MESH = { D: 6, Dlo: 4, Dhi: 32, Dscore: 4, Dout: 2, Dlazy: 6 } as const;
/** Half of the default: a neighbour that joined is in the mesh sooner. */
const HEARTBEAT_MS = 500;
const HISTORY_HEARTBEATS = 6;
const ANNOUNCED_HEARTBEATS = 3;
const SEEN_MS = 120_000;
/** A peer that left keeps its bad score this long; it also bounds what many short-lived identities cost. */
const SCORE_RETENTION_MS = 600_000;
/** Message ids that one announcement may list; more of them and the exchange is dropped. */
const MAX_ANNOUNCED_IDS = 64;
const MAX_CONTROL_MESSAGES = 32;
const MAX_EXCHANGED_PEERS = 16;
/** Room for the envelope of each message in an exchange. */
const MESSAGE_OVERHEAD_BYTES = 256;
const MAX_UNSENT_BYTES = 4 * 1024 * 1024;
/** What gossipsub counts for a topic beside its name. */
const TOPIC_OVERHEAD_BYTES = 1024;
const MAX_TOPIC_NAME_BYTES = 128;
const MESSAGE_ID_BYTES = 20;
/** Short breaches happen on a busy machine; only repeated ones cost a peer its score. */
const TOLERATED_BREACHES = 6;

/** Only messages that were refused as invalid count: ten of them silence a peer for a while. */
const TOPIC_SCORE = createTopicScoreParams({
  topicWeight: 1,
  timeInMeshWeight: 0,
  firstMessageDeliveriesWeight: 0,
  meshMessageDeliveriesWeight: 0,
  meshMessageDeliveriesThreshold: 0,
  meshFailurePenaltyWeight: 0,
  invalidMessageDeliveriesWeight: -1,
  invalidMessageDeliveriesDecay: 0.9,
});

function contentId(message: Message): Uint8Array {
  const digest = createHash('sha256').update(message.topic).update('\0').update(message.data).digest();
  return digest.subarray(0, MESSAGE_ID_BYTES);
}

/**
 * Limits that fit each other: whoever keeps to them never sends what another one refuses. An announcement lists
 * at most 64 ids, an answer holds what a few of those asked for, and the byte limit holds such an answer.
 */
function exchangeLimits(limits: Libp2pLimits): Partial<GossipsubOpts> {
  return {
    maxInboundDataLength:
      limits.maxGossipMessagesPerExchange * (limits.maxGossipBytes + MESSAGE_OVERHEAD_BYTES),
    maxOutboundBufferSize: MAX_UNSENT_BYTES,
    maxTopicBytesPerPeer: limits.maxTopicsPerPeer * (TOPIC_OVERHEAD_BYTES + MAX_TOPIC_NAME_BYTES),
    decodeRpcLimits: {
      maxSubscriptions: limits.maxTopicsPerPeer,
      maxMessages: limits.maxGossipMessagesPerExchange,
      maxIhaveMessageIDs: MAX_ANNOUNCED_IDS,
      maxIwantMessageIDs: limits.maxGossipMessagesPerExchange,
      maxIdontwantMessageIDs: MAX_ANNOUNCED_IDS,
      maxControlMessages: MAX_CONTROL_MESSAGES,
      maxPeerInfos: MAX_EXCHANGED_PEERS,
    },
  };
}

export interface GossipSettings {
  readonly topics: readonly string[];
  readonly peerExchange: boolean;
  readonly limits: Libp2pLimits;
}

export function gossipSettings({ topics, peerExchange, limits }: GossipSettings): Partial<GossipsubOpts> {
  return {
    ...MESH,
    ...exchangeLimits(limits),
    // What travels is a signed envelope already: a second signature costs a third of the throughput.
    globalSignaturePolicy: StrictNoSign,
    msgIdFn: contentId,
    heartbeatInterval: HEARTBEAT_MS,
    mcacheLength: HISTORY_HEARTBEATS,
    mcacheGossip: ANNOUNCED_HEARTBEATS,
    seenTTL: SEEN_MS,
    floodPublish: true,
    fallbackToFloodsub: false,
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    emitSelf: false,
    doPX: peerExchange,
    // For messages this small, telling the neighbours not to send costs as much as what they would send.
    idontwantMinDataSize: limits.maxGossipBytes + 1,
    scoreParams: {
      // The default silently drops messages as soon as more than ten peers share one address.
      IPColocationFactorWeight: 0,
      behaviourPenaltyThreshold: TOLERATED_BREACHES,
      retainScore: SCORE_RETENTION_MS,
      topics: Object.fromEntries(topics.map((topic) => [topic, TOPIC_SCORE])),
    },
    scoreThresholds: { acceptPXThreshold: 0 },
  };
}
