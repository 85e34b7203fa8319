import type { BidRequest } from '../../domain/market/bid.ts';
import type { Evidence } from '../../domain/market/evidence.ts';
import { hasReached } from '../../domain/market/reached.ts';
import { TokenBucket } from '../../lib/token-bucket.ts';
import { bidRequestMessage } from '../../messages/bid-request.ts';
import { claimedSigner } from '../../messages/envelope.ts';
import { decodeFrame, type Frame } from '../../messages/frame.ts';
import { ISSUED_AT_TOLERANCE_MS } from '../../messages/message.ts';
import type { Read } from '../../messages/rejection.ts';
import { searchClosedMessage } from '../../messages/search-closed.ts';
import type { RequesterGuard } from '../../provider/ports.ts';
import type { NetworkContext } from '../context.ts';
import { ExpiringSet } from '../expiring-set.ts';
import { PeerRates } from '../peer-rates.ts';
import type { GossipVerdict } from '../underlay.ts';
import { type GossipOutcome, verdictOf } from './verdict.ts';

/** A message can be issued up to the tolerance ahead and stay believable for the tolerance after that. */
const REPLAY_WINDOW_MS = 2 * ISSUED_AT_TOLERANCE_MS;
/** Beyond these the rate of the neighbour that was silent longest starts afresh. */
const MOST_NEIGHBOURS = 1024;

/** An id belongs to its signer: nobody can use up the request ids of somebody else. */
function keyOf(signer: string, requestId: string): string {
  return `${signer}/${requestId}`;
}

/**
 * Where bid requests come in, by gossip or directly: each is checked once, remembered against replay, and handed
 * on when the verdict has been given. Requests beyond the bounds are dropped and counted.
 */
export class RequestIntake {
  readonly #context: NetworkContext;
  readonly #guard: RequesterGuard;
  readonly #answer: (request: Evidence<BidRequest>) => Promise<void>;
  readonly #handedOn: PeerRates;
  readonly #handedOnOfEstablished: PeerRates;
  readonly #ofStrangers: TokenBucket;
  readonly #ofStrangersHandedOn: TokenBucket;
  readonly #seen: ExpiringSet;
  readonly #closed: ExpiringSet;
  readonly #answeringByRequester = new Map<string, number>();
  #answering = 0;

  constructor(
    context: NetworkContext,
    guard: RequesterGuard,
    answer: (request: Evidence<BidRequest>) => Promise<void>,
  ) {
    const { clock, limits } = context;
    this.#context = context;
    this.#guard = guard;
    this.#answer = answer;
    this.#handedOn = new PeerRates(limits.gossipPerNeighbour, MOST_NEIGHBOURS, clock);
    this.#handedOnOfEstablished = new PeerRates(
      limits.gossipOfEstablishedPerNeighbour,
      MOST_NEIGHBOURS,
      clock,
    );
    this.#ofStrangers = new TokenBucket(limits.gossipOfStrangers, clock);
    this.#ofStrangersHandedOn = new TokenBucket(limits.gossipOfStrangersHandedOn, clock);
    this.#seen = new ExpiringSet(context.clock, REPLAY_WINDOW_MS, context.limits.seenRequests);
    this.#closed = new ExpiringSet(context.clock, REPLAY_WINDOW_MS, context.limits.seenRequests);
  }

  /** True when the requester has said that it takes no more bids. */
  isClosed(request: Evidence<BidRequest>): boolean {
    return this.#closed.has(keyOf(request.signer, request.value.requestId));
  }

  /** The gossip validator of the requests topic. */
  fromGossip(from: string, message: Uint8Array): GossipVerdict {
    return verdictOf(this.#context, from, this.#judge(from, message));
  }

  /** False when a requester that is about to send a request itself would not be heard. */
  hears(requester: string): boolean {
    return this.#guard.standing(requester) !== 'shut';
  }

  /** A request that its requester sent itself. */
  fromRequester(request: Evidence<BidRequest>): void {
    const isNew = this.#take(request);
    this.#context.counters.add(isNew ? 'request.direct' : 'request.repeat');
    if (!isNew) this.#context.allowances.fault(request.signer, 'REPEATED');
  }

  /**
   * The cheapest question first: size, form, rate of the neighbour, rate of who is said to have signed. What passes
   * these is worth the check of a signature, and only that spends a requester's rate.
   */
  #judge(from: string, message: Uint8Array): GossipOutcome {
    const frame = decodeFrame(message, this.#context.underlay.maxGossipBytes);
    if (!frame.ok) return { kind: 'rejected', rejection: frame.rejection };
    const { kind, body } = frame.value;
    if (!this.#isWithinRates(from, claimedSigner(body))) return { kind: 'surplus' };
    if (kind === 'bid-request') return this.#judgeRequest(from, frame.value);
    if (kind === 'search-closed') return this.#judgeClosed(from, frame.value);
    return { kind: 'rejected', rejection: { code: 'MALFORMED', detail: `${kind} in gossip` } };
  }

  /** Names can be forged, but not signatures: who hands on false ones in the name of established requesters is soon refused for it. */
  #isWithinRates(from: string, claimed: string | undefined): boolean {
    if (from === this.#context.underlay.self || claimed === undefined) return true;
    const standing = this.#guard.standing(claimed);
    const handedOn = this.#handedOn.take(from);
    if (standing === 'established') return handedOn || this.#handedOnOfEstablished.take(from);
    const hasRoom = claimed === from ? this.#hasRoomForOwn(from) : this.#ofStrangersHandedOn.take();
    return handedOn && hasRoom && standing === 'stranger';
  }

  /** What a neighbour says in its own name is its own doing, and costs even where it is not looked at. */
  #hasRoomForOwn(neighbour: string): boolean {
    if (this.#ofStrangers.take()) return true;
    this.#context.allowances.surplus(neighbour);
    return false;
  }

  #judgeRequest(from: string, frame: Frame): GossipOutcome {
    const request: Read<Evidence<BidRequest>> = this.#context.verifier.open(bidRequestMessage, frame.body);
    if (!request.ok) return { kind: 'rejected', rejection: request.rejection };
    if (request.value.signer !== from) this.#context.allowances.handedOn(from);
    if (!this.#take(request.value)) return { kind: 'repeat' };
    return { kind: 'request', forward: !this.#isEverywhere(request.value) };
  }

  /** True when all neighbours have it from the requester itself. */
  #isEverywhere({ signer, value }: Evidence<BidRequest>): boolean {
    if (value.reached === undefined) return false;
    const { underlay, names } = this.#context;
    const others = underlay.subscribers(names.requestsTopic).filter((peer) => peer !== signer);
    return hasReached(value, others);
  }

  #judgeClosed(from: string, frame: Frame): GossipOutcome {
    const notice = this.#context.verifier.open(searchClosedMessage, frame.body);
    if (!notice.ok) return { kind: 'rejected', rejection: notice.rejection };
    const { signer, value } = notice.value;
    if (signer !== from) this.#context.allowances.handedOn(from);
    this.#guard.heard(signer);
    return { kind: this.#closed.add(keyOf(signer, value.requestId)) ? 'closed' : 'repeat' };
  }

  /** False when it was here before. What the provider does not get to see is counted here. */
  #take(request: Evidence<BidRequest>): boolean {
    if (!this.#seen.add(keyOf(request.signer, request.value.requestId))) {
      this.#guard.heard(request.signer);
      return false;
    }
    if (this.isClosed(request)) {
      this.#context.counters.add('request.closed-before');
      this.#guard.heard(request.signer);
      return true;
    }
    const { limits, counters } = this.#context;
    const ofRequester = this.#answeringByRequester.get(request.signer) ?? 0;
    if (this.#answering >= limits.answeringRequests || ofRequester >= limits.answeringPerRequester) {
      counters.add('request.dropped');
      this.#guard.heard(request.signer);
      return true;
    }
    this.#answering += 1;
    this.#answeringByRequester.set(request.signer, ofRequester + 1);
    // After the verdict: the message is forwarded whatever this node makes of it.
    queueMicrotask(() => {
      void this.#answer(request).finally(() => this.#answered(request.signer));
    });
    return true;
  }

  #answered(requester: string): void {
    this.#answering -= 1;
    const left = (this.#answeringByRequester.get(requester) ?? 1) - 1;
    if (left === 0) this.#answeringByRequester.delete(requester);
    else this.#answeringByRequester.set(requester, left);
  }
}
