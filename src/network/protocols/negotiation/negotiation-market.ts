import type { BidRequest, SearchClosed } from '../../../domain/market/bid.ts';
import type { ContractAnswer } from '../../../domain/market/contract.ts';
import type { Evidence } from '../../../domain/market/evidence.ts';
import { CodedError } from '../../../lib/coded-error.ts';
import { bidMessage } from '../../../messages/bid.ts';
import { declineMessage } from '../../../messages/decline.ts';
import { envelopeOf } from '../../../messages/envelope.ts';
import { encodeFrame, type Frame } from '../../../messages/frame.ts';
import { ISSUED_AT_TOLERANCE_MS } from '../../../messages/message.ts';
import type { Market, OpenRequest, RequestTarget, SearchListener } from '../../../orchestrator/ports.ts';
import { attend, countFault, type NetworkContext } from '../../context.ts';
import { ExpiringSet } from '../../expiring-set.ts';
import { foreignNetworks } from '../../foreign-networks.ts';
import { FrameChannel, outOfTurn, required } from '../../frame-channel.ts';
import { RoundTrips } from '../../round-trips.ts';
import type { Channel } from '../../underlay.ts';
import { askContract } from '../contract.ts';
import { sendRequest } from '../request.ts';
import { FirstFrames } from './first-frames.ts';
import { LiveRequest } from './open-request.ts';
import { RequesterNegotiation } from './requester-negotiation.ts';

/** The requester's side of the market: requests out, bids and declines in. */
export class NegotiationMarket implements Market {
  readonly #context: NetworkContext;
  /** True when this node's own provider hears the requests of this node. */
  readonly #hearsSelf: () => boolean;
  readonly #live = new Map<string, LiveRequest>();
  readonly #roundTrips = new RoundTrips();
  readonly #closed: ExpiringSet;
  readonly #announced: ExpiringSet;
  readonly #firstFrames: FirstFrames;

  constructor(context: NetworkContext, hearsSelf: () => boolean) {
    this.#context = context;
    this.#hearsSelf = hearsSelf;
    this.#firstFrames = new FirstFrames(context);
    this.#closed = new ExpiringSet(context.clock, 2 * ISSUED_AT_TOLERANCE_MS, context.limits.closedRequests);
    this.#announced = new ExpiringSet(
      context.clock,
      2 * ISSUED_AT_TOLERANCE_MS,
      context.limits.closedRequests,
    );
  }

  get self(): string {
    return this.#context.underlay.self;
  }

  peerRecord(): Uint8Array {
    return this.#context.underlay.peerRecord();
  }

  audience(): readonly string[] {
    const subscribers = this.#context.underlay.subscribers(this.#context.names.requestsTopic);
    return this.#hearsSelf() ? [...subscribers, this.self] : subscribers;
  }

  otherNetworks(): readonly string[] {
    return foreignNetworks(this.#context.underlay.foreignPeers());
  }

  openRequest(
    request: Evidence<BidRequest>,
    listener: SearchListener,
    targets?: readonly RequestTarget[],
  ): OpenRequest {
    const { limits, underlay } = this.#context;
    const { requestId } = request.value;
    const message = encodeFrame({ kind: 'bid-request', body: envelopeOf(request) });
    if (message.length > limits.protocols.request.maxFrameBytes) {
      throw new CodedError(
        'REQUEST_TOO_LARGE',
        'The bid request is too large to be sent: name fewer constraints.',
        {
          data: { bytes: message.length, limit: limits.protocols.request.maxFrameBytes },
        },
      );
    }
    if (this.#live.size >= limits.openRequests) {
      throw new CodedError(
        'TOO_MANY_REQUESTS',
        'Too many searches are open. Try again when some have closed.',
      );
    }
    const byGossip = targets === undefined && message.length <= underlay.maxGossipBytes;
    const records = new Map(targets?.map(({ peer, peerRecord }) => [peer, peerRecord]));
    const live = new LiveRequest(request, listener, byGossip ? this.audience() : [], {
      send: (peer) => this.#sendDirectly(peer, message, records.get(peer)),
      closed: (silently) => this.#close(requestId, silently),
      mostDirectSends: limits.directSendsPerRequest,
      fixed: targets !== undefined,
    });
    this.#live.set(requestId, live);
    if (byGossip) this.#publish(message);
    else live.ask(targets === undefined ? this.audience() : [...records.keys()]);
    return live;
  }

  /** What the transport measured, or else how long the peer took over earlier questions; this node is no distance. */
  roundTripMs(peer: string): number | undefined {
    if (peer === this.self) return undefined;
    return this.#context.underlay.roundTripMs?.(peer) ?? this.#roundTrips.of(peer);
  }

  askContract(contractId: string, provider: string, providerRecord: Uint8Array): Promise<ContractAnswer> {
    return askContract(this.#context, contractId, provider, providerRecord);
  }

  closed(notice: Evidence<SearchClosed>): void {
    if (!this.#announced.add(notice.value.requestId)) return;
    this.#publish(encodeFrame({ kind: 'search-closed', body: envelopeOf(notice) }));
  }

  subscribersChanged(): void {
    const audience = this.audience();
    for (const live of this.#live.values()) live.audienceIs(audience);
  }

  /** Serves a negotiation/2 channel that a provider has opened. */
  async serve(channel: Channel): Promise<void> {
    await attend(this.#context, 'negotiation', channel, async () => {
      const { clock, limits } = this.#context;
      const frames = new FrameChannel(channel, clock, limits.protocols.negotiation.maxFrameBytes);
      const first = await this.#firstFrames.of(frames);
      if (first === undefined) return;
      if (first.kind === 'decline') this.#takeDecline(first, channel.peer);
      else if (first.kind === 'bid') await this.#takeBid(first, frames);
      else throw outOfTurn(`a ${first.kind}`);
    });
  }

  #publish(message: Uint8Array): void {
    const { underlay, names } = this.#context;
    underlay.publish(names.requestsTopic, message).catch((error: unknown) => {
      countFault(this.#context, 'publish', this.self, error);
    });
  }

  async #sendDirectly(peer: string, message: Uint8Array, peerRecord?: Uint8Array): Promise<void> {
    try {
      await sendRequest(this.#context, peer, message, peerRecord);
      this.#context.counters.add('request.sent-directly');
    } catch (error) {
      countFault(this.#context, 'request', peer, error);
      throw error;
    }
  }

  #close(requestId: string, silently: boolean): void {
    this.#live.delete(requestId);
    this.#closed.add(requestId);
    if (!silently && !this.#announced.has(requestId))
      this.closed(this.#context.notary.sign('search-closed', { requestId }));
  }

  #takeDecline(frame: Frame, provider: string): void {
    const decline = required(this.#context.verifier.open(declineMessage, frame.body, provider));
    this.#context.counters.add('negotiation.decline');
    const { requestId } = decline.value;
    this.#live.get(requestId)?.listener.decline(decline);
    if (!this.#live.has(requestId) && !this.#closed.has(requestId)) {
      this.#context.allowances.fault(provider, 'UNKNOWN_REQUEST');
    }
  }

  async #takeBid(frame: Frame, frames: FrameChannel): Promise<void> {
    const bid = required(this.#context.verifier.open(bidMessage, frame.body, frames.channel.peer));
    const { requestId } = bid.value;
    const negotiation = new RequesterNegotiation(this.#context, frames, requestId, this.#roundTrips);
    const live = this.#live.get(requestId);
    if (live === undefined) {
      await this.#refuse(negotiation, this.#closed.has(requestId) ? 'REQUEST_CLOSED' : 'UNKNOWN_REQUEST');
      return;
    }
    const verdict = live.listener.bid(bid, negotiation);
    if (!verdict.keep) {
      await this.#refuse(negotiation, verdict.code);
      return;
    }
    this.#context.counters.add('negotiation.kept');
    if (await negotiation.serve()) live.listener.negotiationEnded(negotiation.provider);
  }

  async #refuse(negotiation: RequesterNegotiation, code: string): Promise<void> {
    this.#context.counters.add('negotiation.refused');
    this.#context.counters.add(`negotiation.${code}`);
    this.#context.allowances.fault(negotiation.provider, code);
    await negotiation.refuse(code);
  }
}
