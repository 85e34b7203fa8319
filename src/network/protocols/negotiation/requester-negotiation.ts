import type { Bid, Decline, JobRequest } from '../../../domain/market/bid.ts';
import type { Proposal, SignedContract } from '../../../domain/market/contract.ts';
import type { Evidence } from '../../../domain/market/evidence.ts';
import { sameBytes } from '../../../lib/canonical.ts';
import { within } from '../../../lib/clock.ts';
import { CodedError, codeOf, messageOf } from '../../../lib/coded-error.ts';
import { bidMessage } from '../../../messages/bid.ts';
import { declineMessage } from '../../../messages/decline.ts';
import { envelopeOf } from '../../../messages/envelope.ts';
import type { Frame } from '../../../messages/frame.ts';
import { proposalToWire } from '../../../messages/proposal.ts';
import { openSignedContract } from '../../../messages/signed-contract.ts';
import type { Negotiation } from '../../../orchestrator/ports.ts';
import { closeSoftly, countFault, type NetworkContext } from '../../context.ts';
import { type FrameChannel, outOfTurn, required } from '../../frame-channel.ts';
import type { RoundTrips } from '../../round-trips.ts';

const TIMED_OUT = Symbol('timed out');

function lost(cause?: unknown): CodedError<'NEGOTIATION_LOST'> {
  return new CodedError(
    'NEGOTIATION_LOST',
    `The negotiation is over: ${cause === undefined ? 'closed' : messageOf(cause)}`,
    {
      cause,
    },
  );
}

/** The requester's side of one negotiation/2 channel whose bid came in. Questions on it are asked one at a time. */
export class RequesterNegotiation implements Negotiation {
  readonly provider: string;
  readonly #context: NetworkContext;
  readonly #frames: FrameChannel;
  readonly #requestId: string;
  readonly #roundTrips: Pick<RoundTrips, 'measured'>;
  /** Settles when the question before has been answered. */
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #reply: { resolve(frame: Frame): void; reject(error: unknown): void } | undefined;
  #state: 'open' | 'closed-here' | 'over' = 'open';

  constructor(
    context: NetworkContext,
    frames: FrameChannel,
    requestId: string,
    roundTrips: Pick<RoundTrips, 'measured'>,
  ) {
    this.#context = context;
    this.#frames = frames;
    this.#requestId = requestId;
    this.#roundTrips = roundTrips;
    this.provider = frames.channel.peer;
  }

  get open(): boolean {
    return this.#state === 'open';
  }

  requestLock(request: JobRequest, timeoutMs: number): Promise<Evidence<Bid> | Evidence<Decline>> {
    const { notary } = this.#context;
    return this.#ask(timeoutMs, () => ({
      question: { kind: 'job-request', body: envelopeOf(notary.sign('job-request', request)) },
      read: (frame) => (frame.kind === 'bid' ? this.#readBid(frame) : this.#readDecline(frame)),
    }));
  }

  propose(proposal: Proposal, timeoutMs: number): Promise<SignedContract | Evidence<Decline>> {
    return this.#ask(timeoutMs, () => ({
      question: { kind: 'proposal', body: proposalToWire(proposal) },
      read: (frame) =>
        frame.kind === 'signed-contract' ? this.#readContract(frame, proposal) : this.#readDecline(frame),
    }));
  }

  close(): void {
    if (this.#state !== 'open') return;
    this.#state = 'closed-here';
    if (this.#reply === undefined) closeSoftly(this.#context, this.#frames.channel);
    else this.#frames.channel.abort();
    this.#failReply(lost());
  }

  /** Stays with the channel until it is over: true when the provider or the connection ended it, false when this side did. */
  async serve(): Promise<boolean> {
    try {
      for (
        let frame = await this.#frames.receive();
        frame !== undefined;
        frame = await this.#frames.receive()
      ) {
        const reply = this.#reply;
        this.#reply = undefined;
        if (reply === undefined) throw outOfTurn(`a ${frame.kind}`);
        reply.resolve(frame);
      }
      closeSoftly(this.#context, this.#frames.channel);
    } catch (error) {
      if (this.#state === 'open') this.#blame(error);
      this.#frames.channel.abort();
    }
    return this.#finish();
  }

  /** Tells the provider that its bid was not taken. */
  async refuse(code: string): Promise<void> {
    this.#finish();
    await this.#frames.send({ kind: 'refused', body: { code } });
  }

  #blame(error: unknown): void {
    countFault(this.#context, 'negotiation', this.provider, error);
    this.#context.allowances.fault(this.provider, codeOf(error) ?? 'INTERNAL');
  }

  #finish(): boolean {
    const endedThere = this.#state === 'open';
    this.#state = 'over';
    this.#failReply(lost());
    return endedThere;
  }

  #failReply(error: unknown): void {
    this.#reply?.reject(error);
    this.#reply = undefined;
  }

  async #ask<T>(
    timeoutMs: number,
    prepare: () => { readonly question: Frame; readonly read: (frame: Frame) => T },
  ): Promise<T> {
    if (this.#state !== 'open' || this.#waiting >= this.#context.limits.waitingExchanges) throw lost();
    const { question, read } = prepare();
    this.#waiting += 1;
    const exchange = this.#turn.then(() => this.#exchange(question, read));
    this.#turn = exchange.catch(() => {});
    try {
      const answer = await within(this.#context.clock, timeoutMs, exchange, () => TIMED_OUT);
      if (typeof answer !== 'symbol') return answer;
    } finally {
      this.#waiting -= 1;
    }
    // Whatever the provider still says would answer a question that nobody waits for any more.
    this.#frames.channel.abort();
    throw new CodedError('NEGOTIATION_TIMEOUT', `The provider has not answered within ${timeoutMs} ms.`);
  }

  async #exchange<T>(question: Frame, read: (frame: Frame) => T): Promise<T> {
    if (this.#state !== 'open') throw lost();
    const reply = Promise.withResolvers<Frame>();
    reply.promise.catch(() => {});
    this.#reply = reply;
    try {
      const askedAtMs = this.#context.clock.monotonicMs();
      await this.#frames.send(question);
      const answer = read(await reply.promise);
      this.#roundTrips.measured(this.provider, this.#context.clock.monotonicMs() - askedAtMs);
      return answer;
    } catch (error) {
      if (error instanceof CodedError && error.code === 'FRAME_TOO_LARGE') {
        this.#reply = undefined;
        throw error;
      }
      if (this.#state === 'open') this.#blame(error);
      this.#frames.channel.abort();
      throw error instanceof CodedError && error.code === 'NEGOTIATION_LOST' ? error : lost(error);
    }
  }

  #readBid(frame: Frame): Evidence<Bid> {
    const bid = required(this.#context.verifier.open(bidMessage, frame.body, this.provider));
    if (bid.value.requestId !== this.#requestId) throw outOfTurn('a bid for another request');
    return bid;
  }

  #readDecline(frame: Frame): Evidence<Decline> {
    if (frame.kind !== 'decline') throw outOfTurn(`a ${frame.kind}`);
    const decline = required(this.#context.verifier.open(declineMessage, frame.body, this.provider));
    if (decline.value.requestId !== this.#requestId) throw outOfTurn('a decline of another request');
    return decline;
  }

  #readContract(frame: Frame, proposal: Proposal): SignedContract {
    const contract = required(openSignedContract(this.#context.verifier, frame.body));
    if (!sameBytes(contract.terms.payload, proposal.terms.payload)) throw outOfTurn('another contract');
    return contract;
  }
}
