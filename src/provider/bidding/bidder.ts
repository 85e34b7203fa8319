import {
  type Bid,
  type BidRequest,
  type Decline,
  type JobRequest,
  type Refusal,
  isNoRoom,
} from '../../domain/market/bid.ts';
import { askedFor } from '../../domain/matching/asking-price.ts';
import type { CapabilityComparison } from '../../domain/matching/comparison.ts';
import type { NodeTraits } from '../../domain/matching/capability.ts';
import type { Evidence } from '../../domain/market/evidence.ts';
import type { Lease } from '../../domain/market/lock.ts';
import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { ResourceLedger } from '../locks/ledger.ts';
import type { ProviderOptions } from '../options.ts';
import type { Answer, Asked, BidAnswer, ProviderStore, RequesterLink } from '../ports.ts';
import type { Room } from '../resources/room.ts';
import { OpenBids, type GrantedLock, type OpenBid } from './open-bids.ts';
import { type DraftNeeds, draftBid, grantOf } from './bid-draft.ts';
import type { Asking, Capacity } from './capacity.ts';
import { type DeclineNeeds, signDecline } from './declining.ts';
import { checkPolicies } from './policies.ts';
import type { Leftovers } from './leftovers.ts';
import { type Admission, draining, EXPIRED, LOCK_EXPIRED, noPlaceLeft } from './refusals.ts';
import { placesOnDisk, refusalForRoom, roomNeedOf } from './room-check.ts';
import { tellsNo, turnOf, answerModeOf } from './turnout.ts';

export interface BidderNeeds extends DraftNeeds, DeclineNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ledger: Pick<ResourceLedger, 'pools' | 'get' | 'renew' | 'release' | 'retryAfter'>;
  readonly capacity: Pick<Capacity, 'free' | 'leasesLeft' | 'compare' | 'misfit' | 'takenFor' | 'hold'>;
  readonly store: Pick<ProviderStore, 'commit' | 'answer'>;
  readonly link: Pick<RequesterLink, 'peerRecord' | 'isConnected'>;
  readonly traits: NodeTraits;
  readonly liveExecutions: () => number;
  readonly room: Pick<Room, 'look'>;
  readonly leftovers: Pick<Leftovers, 'refusal'>;
  /** A lock that was asked for became no contract. */
  readonly onUnused: (lease: Lease) => void;
  /** What a job needs is here, or on its way: another of its executions runs here. */
  readonly holdsInputsOf: (jobId: string) => boolean;
  /** Somebody was refused for want of room. */
  readonly onNoRoom: () => void;
}

/** Answers bid requests and job requests. A yes is on disk before it leaves; nothing is reserved before the price is decided. */
export class Bidder {
  readonly #options: ProviderOptions;
  readonly #needs: BidderNeeds;
  readonly #openBids: OpenBids;
  #draining = false;

  constructor(options: ProviderOptions, needs: BidderNeeds) {
    this.#options = options;
    this.#needs = needs;
    this.#openBids = new OpenBids(needs.clock, options.limits.maxOpenBids);
  }

  setDraining(draining: boolean): void {
    this.#draining = draining;
  }

  /** `admit` is asked once this node would answer, before that costs anything. */
  async answer(evidence: Evidence<BidRequest>, admit: () => Admission = () => 'in'): Promise<Answer> {
    const { value: request, signer: requester } = evidence;
    const voice = this.#answerMode(requester, request);
    const silence = this.#reasonForSilence(requester, request, voice);
    if (silence !== undefined) return { kind: 'silence', reason: silence };
    const admission = admit();
    if (admission === 'unheard') return { kind: 'silence', reason: 'too many requests' };
    if (admission !== 'in') return this.#decline(request, 'bid', admission);

    const verdict = checkPolicies({
      self: this.#needs.traits.peerId,
      requester,
      request,
      options: this.#options,
      draining: this.#draining,
      price: () => askedFor(this.#options.price, request.requirements.resources, this.#needs.ledger.pools()),
      liveExecutions: this.#needs.liveExecutions(),
      retryAfter: () => this.#needs.ledger.retryAfter(),
    });
    if (!verdict.ok) return this.#decline(request, 'bid', verdict);

    const asking = { requester, request };
    const { capacity } = this.#needs;
    const comparison = capacity.compare(asking);
    if (!comparison.hardOk) return this.#decline(request, 'bid', capacity.misfit(asking, comparison));
    if (voice === 'decline') return { kind: 'silence', reason: 'outside the answer share' };
    const [earlier, room] = await Promise.all([
      this.#needs.store.answer(request.requestId),
      this.#needs.room.look(),
    ]);
    // Asked again behind the wait: the same request may have come on two ways at once.
    if (earlier?.requester === requester || this.#openBids.find(requester, request.requestId) !== undefined) {
      return { kind: 'silence', reason: 'answered before' };
    }
    const need = roomNeedOf(request, this.#needs.ledger.pools(), this.#needs.holdsInputsOf(request.jobId));
    const full = refusalForRoom(room, need) ?? this.#needs.leftovers.refusal(requester, need.inputBytes);
    if (full !== undefined) return this.#decline(request, 'bid', full);
    const most = Math.min(request.slots, placesOnDisk(room, need), capacity.leasesLeft(asking));
    return this.#bid({ requester, request }, comparison, most);
  }

  /**
   * Takes the lock for an execution. The same execution gets the same lock again, with its whole time from now on; so
   * does the first one that asks where the bid came locked.
   */
  async lock(
    requester: string,
    evidence: Evidence<JobRequest>,
    asked: Asked,
  ): Promise<Evidence<Bid> | Evidence<Decline>> {
    const { requestId, bidId, executionId } = evidence.value;
    const open = this.#openBids.find(requester, requestId);
    const decline = (refusal: Refusal): Evidence<Decline> =>
      signDecline(this.#needs, asked, 'job-request', refusal);
    if (open === undefined || open.bid.bidId !== bidId) return decline(EXPIRED);
    const earlier = open.locks.get(executionId) ?? this.#takeOver(open, executionId);
    if (earlier !== undefined) {
      if (!this.#renew(earlier)) return decline(LOCK_EXPIRED);
      await earlier.durable;
      return earlier.answer;
    }
    const { limits } = this.#options;
    if (this.#draining) return decline(draining({ retryAfterMs: limits.drainingRetryMs }));
    if (open.locks.size >= open.bid.slots) return decline(noPlaceLeft(this.#needs.ledger.retryAfter()));
    const lease = this.#needs.capacity.hold(open, executionId);
    if (lease === undefined) return decline(this.#needs.capacity.takenFor(open));
    const lock = this.#grant(open, executionId, lease, { executionId });
    await lock.durable;
    return lock.answer;
  }

  /** The bid a proposal refers to, whether or not it still stands: a lock may outlive it. */
  bidOf(requester: string, bidId: string): OpenBid | undefined {
    return this.#openBids.findByBidId(requester, bidId);
  }

  /** The negotiation is over: locks that became no contract are free at once. */
  ended(requester: string, requestId: string): void {
    const open = this.#openBids.remove(requester, requestId);
    if (open !== undefined) this.#freeInBackground(open);
  }

  async #bid(
    asking: Asking & { readonly request: BidRequest },
    comparison: CapabilityComparison,
    mostPlaces: number,
  ): Promise<Answer> {
    const { clock, notary, store, capacity } = this.#needs;
    const { requester, request } = asking;
    const { limits, lockOnBid } = this.#options;
    const bid = draftBid(
      request,
      comparison,
      { free: capacity.free(asking), most: mostPlaces },
      this.#options,
      this.#needs,
    );
    if (bid.slots < 1) return this.#decline(request, 'bid', capacity.takenFor(asking));
    const turn = turnOf(request, comparison, bid.fit, notary.self);
    if (turn.kind === 'left-out' && requester !== notary.self)
      return request.answerAlways
        ? this.#decline(request, 'bid', turn.refusal)
        : { kind: 'silence', reason: 'others fit better' };
    const delayMs = turn.kind === 'bid' && requester !== notary.self ? turn.delayMs : 0;
    const open: OpenBid = {
      requester,
      request,
      bid,
      standsUntilMs: clock.monotonicMs() + Math.max(limits.bidValidMs, limits.lockTtlMs),
      locks: new Map(),
    };
    const comesLocked = lockOnBid && request.trial !== true;
    const lease = comesLocked ? capacity.hold(open, bid.bidId) : undefined;
    if (comesLocked && lease === undefined) return this.#decline(request, 'bid', capacity.takenFor(asking));
    for (const dropped of this.#openBids.add(open)) this.#freeInBackground(dropped);
    const { requestId } = request;
    const answer = { requestId, requester, bidId: bid.bidId, comparison, answeredAt: clock.livedMs() };
    if (lease === undefined) {
      const durable = this.#orUndone(open, store.commit({ answers: [answer] }));
      return { kind: 'bid', bid: notary.sign('bid', bid), durable, delayMs };
    }
    const lock = this.#grant(open, bid.bidId, lease, {}, [answer]);
    return { kind: 'bid', bid: lock.answer, durable: this.#orUndone(open, lock.durable), delayMs };
  }

  /** Nobody will hear of a bid that was not written down, so nobody will end it either. */
  async #orUndone(open: OpenBid, durable: Promise<void>): Promise<void> {
    try {
      await durable;
    } catch (error) {
      this.#openBids.remove(open.requester, open.request.requestId);
      this.#freeInBackground(open);
      throw error;
    }
  }

  /** The bid with a lock that is held already, and is being written down. */
  #grant(
    open: OpenBid,
    key: string,
    lease: Lease,
    about: { readonly executionId?: string },
    answers: readonly BidAnswer[] = [],
  ): GrantedLock {
    const { notary, store } = this.#needs;
    const answer = notary.sign('bid', { ...open.bid, ...about, lock: grantOf(lease) });
    const durable = store.commit({ leases: [lease], answers });
    const lock: GrantedLock = { lockId: lease.lockId, answer, durable };
    open.locks.set(key, lock);
    return lock;
  }

  /** The lock that came with the bid is for the execution that asks for it; undefined where there is none to be had. */
  #takeOver(open: OpenBid, executionId: string): GrantedLock | undefined {
    const { ledger, notary } = this.#needs;
    const ofBid = open.locks.get(open.bid.bidId);
    const lease = ofBid === undefined ? undefined : ledger.get(ofBid.lockId);
    if (ofBid === undefined || lease === undefined) return ofBid;
    if (lease.state !== 'held') return undefined;
    const answer = notary.sign('bid', { ...open.bid, executionId, lock: grantOf(lease) });
    const lock: GrantedLock = { ...ofBid, answer };
    open.locks.delete(open.bid.bidId);
    open.locks.set(executionId, lock);
    return lock;
  }

  /** False when the lock is gone. What is on disk of a held one need not follow: it does not outlive its node. */
  #renew({ lockId }: GrantedLock): boolean {
    const { ledger } = this.#needs;
    if (ledger.get(lockId)?.state === 'held') ledger.renew(lockId, this.#options.limits.lockTtlMs);
    return ledger.get(lockId) !== undefined;
  }

  #answerMode(requester: string, request: BidRequest): ReturnType<typeof answerModeOf> {
    const { traits, link } = this.#needs;
    return answerModeOf(request, {
      self: traits.peerId,
      isOwn: requester === traits.peerId,
      isConnected: () => link.isConnected(requester),
    });
  }

  #reasonForSilence(
    requester: string,
    request: BidRequest,
    voice: ReturnType<typeof answerModeOf>,
  ): string | undefined {
    const self = this.#needs.traits.peerId;
    if (requester === self && !this.#options.ownJobs) return 'own jobs are not served';
    if (request.exclude.includes(self)) return 'excluded';
    if (voice === 'none') return 'outside the answer share';
    if (this.#openBids.find(requester, request.requestId) !== undefined) return 'answered before';
    return undefined;
  }

  async #free(open: OpenBid): Promise<void> {
    const { ledger, store } = this.#needs;
    const freed: Lease[] = [];
    for (const { lockId } of open.locks.values()) {
      const released = ledger.get(lockId)?.state === 'held' ? ledger.release(lockId) : undefined;
      if (released === undefined) continue;
      freed.push(released);
      this.#needs.onUnused(released);
    }
    if (freed.length > 0) await store.commit({ leases: freed });
  }

  /** What is not written of it is freed at the next start: a lock does not outlive its node. */
  #freeInBackground(open: OpenBid): void {
    this.#free(open).catch((error: unknown) => {
      this.#needs.logger.warn('a freed lock was not written', { reason: messageOf(error) });
    });
  }

  #decline(request: BidRequest, stage: Decline['stage'], refusal: Refusal): Answer {
    if (isNoRoom(refusal)) this.#needs.onNoRoom();
    if (!tellsNo(request, this.#needs.traits.peerId)) return { kind: 'silence', reason: refusal.code };
    return { kind: 'decline', decline: signDecline(this.#needs, request, stage, refusal) };
  }
}
