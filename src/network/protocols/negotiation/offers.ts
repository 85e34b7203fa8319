import type { Bid, BidRequest, Decline } from '../../../domain/market/bid.ts';
import type { Evidence } from '../../../domain/market/evidence.ts';
import { sleep } from '../../../lib/clock.ts';
import { CodedError, codeOf } from '../../../lib/coded-error.ts';
import { envelopeOf } from '../../../messages/envelope.ts';
import { type Frame, refusedSchema } from '../../../messages/frame.ts';
import { jobRequestMessage } from '../../../messages/job-request.ts';
import { openProposal } from '../../../messages/proposal.ts';
import { signedContractToWire } from '../../../messages/signed-contract.ts';
import type { Answer, ProviderHandler } from '../../../provider/ports.ts';
import { attend, countFault, type NetworkContext } from '../../context.ts';
import { ExpiringSet } from '../../expiring-set.ts';
import { FrameChannel, outOfTurn, required } from '../../frame-channel.ts';
import type { Channel, OpenOptions } from '../../underlay.ts';
import { ReadyChannels } from './ready-channels.ts';

type BidToSend = Extract<Answer, { readonly kind: 'bid' }>;

interface Offer {
  readonly request: Evidence<BidRequest>;
  readonly bid: Evidence<Bid>;
  /** See {@link Answer}. */
  readonly durable: Promise<void>;
  readonly frames: FrameChannel;
}

/**
 * The provider's side of negotiation/2: it opens the channel, delivers its bid and then answers, one at a time,
 * what the requester asks on it. When a channel of a bid is over the handler hears of it exactly once, and never
 * while it is still deciding something that came on it.
 */
export class Offers {
  readonly #context: NetworkContext;
  readonly #handler: ProviderHandler;
  readonly #isClosed: (request: Evidence<BidRequest>) => boolean;
  /** Requesters whose certified addresses led nowhere. */
  readonly #unreachable: ExpiringSet;
  readonly #ready: ReadyChannels;
  #open = 0;
  #dialling = 0;

  constructor(
    context: NetworkContext,
    handler: ProviderHandler,
    isClosed: (request: Evidence<BidRequest>) => boolean,
  ) {
    this.#context = context;
    this.#handler = handler;
    this.#isClosed = isClosed;
    const { clock, limits } = context;
    this.#ready = new ReadyChannels(context);
    this.#unreachable = new ExpiringSet(clock, limits.unreachableMs, limits.unreachableRequesters);
  }

  /** Asks the handler and brings its answer to the requester. Resolves when the handler has answered; never rejects. */
  async answer(request: Evidence<BidRequest>): Promise<void> {
    const { underlay, counters } = this.#context;
    if (this.#unreachable.has(request.signer) && !underlay.isConnected(request.signer)) {
      counters.add('answer.unreachable');
      this.#handler.requesters.heard(request.signer);
      return;
    }
    let answer: Answer;
    try {
      answer = await this.#handler.answer(request);
    } catch (error) {
      countFault(this.#context, 'answer', request.signer, error);
      return;
    }
    counters.add(`answer.${answer.kind}`);
    if (answer.kind === 'bid') {
      void this.#offer(request, answer);
      // What the disk has not taken yet counts as being answered; the offer reports what went wrong.
      await answer.durable.catch(() => {});
    }
    if (answer.kind === 'decline') void this.#decline(request, answer.decline);
  }

  /** A decline is never worth a dial. */
  async #decline(request: Evidence<BidRequest>, decline: Evidence<Decline>): Promise<void> {
    const { underlay, counters } = this.#context;
    if (!underlay.isConnected(request.signer) || this.#isClosed(request)) {
      counters.add('decline.unsent');
      return;
    }
    try {
      const channel = await this.#openChannel(request.signer);
      await attend(this.#context, 'decline', channel, () =>
        this.#frames(channel).send({ kind: 'decline', body: envelopeOf(decline) }),
      );
    } catch (error) {
      countFault(this.#context, 'decline', request.signer, error);
    }
  }

  async #offer(request: Evidence<BidRequest>, { bid, durable, delayMs = 0 }: BidToSend): Promise<void> {
    const { clock, limits, counters } = this.#context;
    if (this.#isClosed(request) || this.#open >= limits.offers) {
      counters.add(this.#isClosed(request) ? 'offer.closed-before' : 'offer.dropped');
      this.#handler.ended(request.signer, request.value.requestId);
      return;
    }
    this.#open += 1;
    try {
      if (delayMs > 0) await sleep(clock, delayMs);
      if (this.#isClosed(request)) {
        counters.add('offer.spared');
        return;
      }
      const channel = await this.#reach(request);
      await attend(this.#context, 'offer', channel, async () => {
        await this.#conduct({ request, bid, durable, frames: this.#frames(channel) });
        // It was the requester that ended it, as one does who has what it wants.
        if (request.signer !== this.#context.underlay.self) this.#ready.prepare(request.signer);
      });
    } catch (error) {
      countFault(this.#context, 'offer', request.signer, error);
    } finally {
      this.#open -= 1;
      this.#handler.ended(request.signer, request.value.requestId);
    }
  }

  #frames(channel: Channel): FrameChannel {
    const { clock, limits } = this.#context;
    return new FrameChannel(channel, clock, limits.protocols.negotiation.maxFrameBytes);
  }

  #openChannel(
    requester: string,
    dial?: Required<Pick<OpenOptions, 'peerRecord' | 'forStranger'>>,
  ): Promise<Channel> {
    const { underlay, names, limits } = this.#context;
    const options: OpenOptions = { timeoutMs: limits.openTimeoutMs, ...dial };
    return underlay.open(requester, names.negotiation, limits.protocols.negotiation, options);
  }

  async #reach(request: Evidence<BidRequest>): Promise<Channel> {
    const { underlay, limits } = this.#context;
    const { signer, value } = request;
    const ready = this.#ready.take(signer);
    if (ready !== undefined) return ready;
    if (underlay.isConnected(signer)) return this.#openChannel(signer);
    const established = this.#handler.requesters.standing(signer) === 'established';
    if (this.#dialling >= (established ? limits.dials : limits.dials - limits.dialsOfEstablished))
      throw new CodedError('DIALS_BUSY', 'Too many dials are under way.');
    this.#dialling += 1;
    try {
      return await this.#openChannel(signer, {
        peerRecord: value.requesterRecord,
        forStranger: !established,
      });
    } catch (error) {
      const code = codeOf(error);
      const isFirst =
        (code === 'PEER_UNREACHABLE' || code === 'ADDRESS_REFUSED') && this.#unreachable.add(signer);
      // Addresses that this node must not dial are no fault of a requester behind a router.
      if (isFirst && code === 'PEER_UNREACHABLE') this.#handler.requesters.unreachable(signer);
      throw error;
    } finally {
      this.#dialling -= 1;
    }
  }

  async #conduct(offer: Offer): Promise<void> {
    if (offer.bid.value.lock !== undefined) await offer.durable;
    await offer.frames.send({ kind: 'bid', body: envelopeOf(offer.bid) });
    this.#context.counters.add('offer.sent');
    const first = await this.#next(offer);
    if (first?.kind === 'refused') {
      const refused = refusedSchema.safeParse(first.body);
      this.#context.counters.add(refused.success ? 'offer.refused' : 'offer.MALFORMED');
      return;
    }
    await offer.durable;
    // One question at a time, until the requester ends.
    for (let frame = first; frame !== undefined; frame = await this.#next(offer)) {
      await this.#answerTo(frame, offer);
    }
  }

  #next({ frames }: Offer): Promise<Frame | undefined> {
    return frames.receive(this.#context.limits.negotiationIdleMs);
  }

  async #answerTo(frame: Frame, offer: Offer): Promise<void> {
    if (frame.kind === 'job-request') await this.#lock(offer, frame.body);
    else if (frame.kind === 'proposal') await this.#accept(offer, frame.body);
    else throw outOfTurn(`a ${frame.kind}`);
  }

  async #lock(offer: Offer, body: unknown): Promise<void> {
    const requester = offer.request.signer;
    const jobRequest = required(this.#context.verifier.open(jobRequestMessage, body, requester));
    if (jobRequest.value.requestId !== offer.request.value.requestId) {
      throw outOfTurn('a job request about another request');
    }
    const answer = await this.#handler.lock(requester, jobRequest, offer.request.value);
    await offer.frames.send({
      kind: answer.type === 'decline' ? 'decline' : 'bid',
      body: envelopeOf(answer),
    });
  }

  async #accept(offer: Offer, body: unknown): Promise<void> {
    const { verifier, notary } = this.#context;
    const requester = offer.request.signer;
    const proposal = required(openProposal(verifier, body, requester, notary.self));
    const answer = await this.#handler.accept(requester, proposal, offer.request.value);
    await offer.frames.send(
      'contractId' in answer
        ? { kind: 'signed-contract', body: signedContractToWire(answer) }
        : { kind: 'decline', body: envelopeOf(answer) },
    );
  }
}
