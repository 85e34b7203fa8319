import type { Bid, BidRequest } from '../../src/domain/market/bid.ts';
import type { ContractTerms } from '../../src/domain/market/contract.ts';
import type { Invocation } from '../../src/domain/program/task.ts';
import { decodeCanonical } from '../../src/lib/canonical.ts';
import { envelopeOf, readEnvelope } from '../../src/messages/envelope.ts';
import { decodeFrame, encodeFrame, type Frame } from '../../src/messages/frame.ts';
import { invocationDigestOf } from '../../src/messages/invocation.ts';
import { defaultNetworkLimits } from '../../src/network/options.ts';
import type { Channel } from '../../src/network/underlay.ts';
import type { BenchPeer } from '../bench/bench-peer.ts';
import { requestOf } from '../bench/requests.ts';
import type { Scene } from './attack.ts';
import { hears } from './gossip.ts';
import { contentId } from './made-up.ts';

const { negotiation } = defaultNetworkLimits.protocols;

/** What a provider said to one request on one channel. */
export interface Offer {
  readonly request: BidRequest;
  /** Undefined where it was declined. */
  readonly bid: Bid | undefined;
  readonly channel: Channel;
}

/** A requester that deals with frames by hand. Its requests are answered by `deal`. */
export class Bargainer {
  readonly peer: BenchPeer;
  readonly #scene: Scene;
  readonly #requests = new Map<string, BidRequest>();

  constructor(scene: Scene, deal: (offer: Offer) => Promise<void>, localAddress?: string) {
    this.#scene = scene;
    this.peer = scene.peer(scene.provider, localAddress === undefined ? {} : { localAddress });
    this.peer.underlay.handle(scene.names.negotiation, negotiation, (channel) => {
      this.#first(channel)
        .then((offer) => deal(offer))
        .catch(() => channel.abort());
    });
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.peer.underlay.start();
    await hears(this.peer, this.#scene.provider, this.#scene.names.requestsTopic, signal);
  }

  async ask(cpuMillis: number, changes: Partial<BidRequest['requirements']> = {}): Promise<void> {
    const { notary, underlay } = this.peer;
    const like = requestOf({ cpuMillis, hard: [] }, underlay.peerRecord());
    const { budget: _, ...request } = like;
    const asked = { ...request, requirements: { ...request.requirements, ...changes } };
    this.#requests.set(asked.requestId, asked);
    const body = envelopeOf(notary.sign('bid-request', asked));
    await underlay.publish(this.#scene.names.requestsTopic, encodeFrame({ kind: 'bid-request', body }));
  }

  /** Takes the lock that a bid promises. Undefined where there is none. */
  async lock({ request, bid, channel }: Offer): Promise<Bid | undefined> {
    if (bid === undefined || bid.lock !== undefined) return bid;
    const { requestId, jobId } = request;
    const asked = { requestId, bidId: bid.bidId, executionId: executionIdOf(jobId), attempt: 1 };
    const body = envelopeOf(this.peer.notary.sign('job-request', asked));
    await channel.send(encodeFrame({ kind: 'job-request', body }));
    const answer = await next(channel);
    return answer.kind === 'bid' ? signedValue<Bid>(answer) : undefined;
  }

  /** Proposes, and gives the kind of the answer. */
  async propose(
    { request, channel }: Offer,
    bid: Bid,
    invocation: Invocation,
    changes: Partial<ContractTerms> = {},
  ): Promise<string> {
    const terms = { ...this.#terms(request, bid, invocation), ...changes };
    const envelope = envelopeOf(this.peer.notary.sign('contract-terms', terms));
    await channel.send(encodeFrame({ kind: 'proposal', body: { terms: envelope, invocation } }));
    return (await next(channel)).kind;
  }

  #terms(request: BidRequest, bid: Bid, invocation: Invocation): ContractTerms {
    const { lock } = bid;
    const { requirements, jobId, jobDigest } = request;
    return {
      jobId,
      jobDigest,
      executionId: executionIdOf(jobId),
      partition: 0,
      attempt: 1,
      requester: this.peer.notary.self,
      provider: this.#scene.provider.peerId,
      bidId: bid.bidId,
      lockId: lock?.lockId ?? 'none',
      lockVersion: lock?.version ?? 0,
      resources: requirements.resources,
      price: bid.price,
      time: bid.time,
      invocationDigest: invocationDigestOf(invocation),
      acceptWithinMs: 30_000,
      startWithinMs: bid.time.startWithinMs,
      executionTimeoutMs: requirements.executionTimeoutMs,
      orphanAfterMs: 24 * 60 * 60 * 1000,
      retentionMs: 60 * 60 * 1000,
      superseded: 'nothing',
      maxOutputBytes: 1024 * 1024,
      requesterRecord: this.peer.underlay.peerRecord(),
      providerRecord: bid.providerRecord,
      proposedAt: Date.now(),
    };
  }

  async #first(channel: Channel): Promise<Offer> {
    const frame = await next(channel);
    const said = signedValue<{ readonly requestId: string }>(frame);
    const request = this.#requests.get(said.requestId);
    if (request === undefined) throw new Error('an answer to nothing');
    return { request, bid: frame.kind === 'bid' ? signedValue<Bid>(frame) : undefined, channel };
  }
}

/** A script that only its requester has. */
export function unseenScript(): Invocation {
  const script = { cid: contentId(), size: 1000 };
  return {
    engine: { type: 'python', script, args: [], env: {}, stdin: '' },
    inputs: [],
    outputs: [],
    partition: 0,
    partitionCount: 1,
  };
}

function executionIdOf(jobId: string): string {
  return `${jobId}.v1.p0r0.a1`;
}

export async function next(channel: Channel): Promise<Frame> {
  const bytes = await channel.receive();
  const read = bytes === undefined ? undefined : decodeFrame(bytes, negotiation.maxFrameBytes);
  if (read?.ok !== true) throw new Error('no frame');
  return read.value;
}

/** The terms of a proposal, in their envelope. */
export function bargained(proposal: unknown): unknown {
  return typeof proposal === 'object' && proposal !== null && 'terms' in proposal
    ? proposal.terms
    : undefined;
}

/** What is inside an envelope; nothing is checked. */
export function signedValue<Value>({ body }: Frame): Value {
  const envelope = readEnvelope(body);
  if (envelope === undefined) throw new Error('no envelope');
  const payload = decodeCanonical(envelope.payload) as { readonly value?: Value };
  return payload.value ?? (payload as Value);
}
