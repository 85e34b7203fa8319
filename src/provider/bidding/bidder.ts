import { isInAnswerShare } from '../../domain/answer-share.ts';
import type { Bid, BidRequest, Decline, JobRequest, Refusal } from '../../domain/bid.ts';
import type { NodeTraits } from '../../domain/capability.ts';
import type { CapabilityComparison } from '../../domain/comparison.ts';
import type { Evidence, Notary } from '../../domain/evidence.ts';
import type { Lease } from '../../domain/lock.ts';
import { compare, isRetryable, nearestMiss } from '../../domain/matching.ts';
import type { Clock } from '../../lib/clock.ts';
import type { ResourceLedger } from '../locks/ledger.ts';
import type { ProviderOptions } from '../options.ts';
import type { Answer, ProviderStore, RequesterLink } from '../ports.ts';
import { BidBook, type OpenBid } from './bid-book.ts';
import { checkPolicies } from './policies.ts';

export interface BidderNeeds {
  readonly clock: Clock;
  readonly newId: () => string;
  readonly notary: Notary;
  readonly ledger: ResourceLedger;
  readonly store: Pick<ProviderStore, 'commit' | 'answer'>;
  readonly link: Pick<RequesterLink, 'peerRecord'>;
  readonly traits: NodeTraits;
  readonly liveExecutions: () => number;
}

/** Answers bid requests and job requests. A yes is on disk before it leaves; nothing is reserved before the price is decided. */
export class Bidder {
  readonly #options: ProviderOptions;
  readonly #needs: BidderNeeds;
  readonly #book: BidBook;
  #draining = false;

  constructor(options: ProviderOptions, needs: BidderNeeds) {
    this.#options = options;
    this.#needs = needs;
    this.#book = new BidBook(needs.clock, options.limits.maxOpenBids);
  }

  setDraining(draining: boolean): void {
    this.#draining = draining;
  }

  async answer(evidence: Evidence<BidRequest>): Promise<Answer> {
    const { value: request, signer: requester } = evidence;
    const silence = this.#reasonForSilence(requester, request);
    if (silence !== undefined) return { kind: 'silence', reason: silence };

    const verdict = checkPolicies({
      self: this.#needs.traits.peerId,
      requester,
      request,
      options: this.#options,
      draining: this.#draining,
      liveExecutions: this.#needs.liveExecutions(),
    });
    if (!verdict.ok) return this.#decline(request, 'bid', verdict);

    const available = this.#available();
    const comparison = compare(request.requirements, available);
    if (!comparison.hardOk) {
      return this.#decline(
        request,
        'bid',
        refusalOf(comparison, isRetryable(comparison, request.requirements, available)),
      );
    }
    if ((await this.#needs.store.answer(request.requestId)) !== undefined) {
      return { kind: 'silence', reason: 'answered before' };
    }
    return this.#bid(requester, request, comparison);
  }

  /** Takes the lock for an execution. The same (execution, attempt) gets the same lock again. */
  async lock(requester: string, evidence: Evidence<JobRequest>): Promise<Evidence<Bid> | Evidence<Decline>> {
    const { requestId, bidId, executionId } = evidence.value;
    const open = this.#book.find(requester, requestId);
    if (open === undefined || open.bid.bidId !== bidId) {
      return this.#signDecline(requestId, open?.request.jobId ?? '', 'job-request', {
        code: 'BID_EXPIRED',
        message: 'The bid does not stand any more. Ask for bids again.',
        retryable: true,
      });
    }
    const earlier = open.locks.get(executionId);
    if (earlier !== undefined) return earlier.answer;

    if (this.#draining) {
      return this.#signDecline(requestId, open.request.jobId, 'job-request', {
        code: 'DRAINING',
        message: 'This node takes no new work.',
        retryable: true,
      });
    }
    const held = this.#hold(open, executionId);
    if (!held.ok) return this.#signDecline(requestId, open.request.jobId, 'job-request', held.refusal);
    const answer = this.#needs.notary.sign('bid', {
      ...open.bid,
      executionId,
      lock: grantOf(held.lease),
    });
    open.locks.set(executionId, { lockId: held.lease.lockId, answer });
    await this.#needs.store.commit({ leases: [held.lease] });
    return answer;
  }

  /** The bid a proposal refers to, whether or not it still stands: a lock may outlive it. */
  bidOf(requester: string, bidId: string): OpenBid | undefined {
    return this.#book.findByBidId(requester, bidId);
  }

  /** The negotiation is over: locks that became no contract are free at once. */
  async ended(requester: string, requestId: string): Promise<void> {
    const open = this.#book.remove(requester, requestId);
    if (open !== undefined) await this.#free(open);
  }

  async #bid(requester: string, request: BidRequest, comparison: CapabilityComparison): Promise<Answer> {
    const { clock, newId, notary, store, link } = this.#needs;
    const { limits, price } = this.#options;
    const bidId = newId();
    const base: Bid = {
      bidId,
      requestId: request.requestId,
      jobId: request.jobId,
      price,
      time: {
        durationMs: request.requirements.executionTimeoutMs,
        startWithinMs: limits.longestStartWithinMs,
      },
      validForMs: limits.bidValidMs,
      slots: request.slots,
      comparison,
      load: this.#loadAfter(request),
      providerRecord: link.peerRecord(),
    };
    const open: OpenBid = {
      requester,
      request,
      bid: base,
      standsUntilMs: clock.monotonicMs() + Math.max(limits.bidValidMs, limits.lockTtlMs),
      locks: new Map(),
    };
    const leases: Lease[] = [];
    let bid = base;
    if (this.#options.lockOnBid) {
      const held = this.#hold(open, bidId);
      if (!held.ok) return this.#decline(request, 'bid', held.refusal);
      leases.push(held.lease);
      bid = { ...base, lock: grantOf(held.lease) };
    }
    const signed = notary.sign('bid', bid);
    const first = leases[0];
    if (first !== undefined) open.locks.set(bidId, { lockId: first.lockId, answer: signed });
    for (const dropped of this.#book.add(open)) void this.#free(dropped);
    await store.commit({
      leases,
      answers: [{ requestId: request.requestId, requester, bidId, comparison, answeredAt: clock.nowMs() }],
    });
    return { kind: 'bid', bid: signed };
  }

  #reasonForSilence(requester: string, request: BidRequest): string | undefined {
    const self = this.#needs.traits.peerId;
    if (requester === self && !this.#options.ownJobs) return 'own jobs are not served';
    if (request.exclude.includes(self)) return 'excluded';
    if (requester !== self && !isInAnswerShare(request.requestId, self, request.answerShare))
      return 'outside the answer share';
    if (this.#book.find(requester, request.requestId) !== undefined) return 'answered before';
    return undefined;
  }

  #hold(open: OpenBid, executionId: string): ReturnType<ResourceLedger['hold']> {
    return this.#needs.ledger.hold({
      holder: open.requester,
      jobId: open.request.jobId,
      executionId,
      requirements: open.request.requirements.resources,
      ttlMs: this.#options.limits.lockTtlMs,
    });
  }

  async #free(open: OpenBid): Promise<void> {
    const freed: Lease[] = [];
    for (const { lockId } of open.locks.values()) {
      const held = this.#needs.ledger
        .leases()
        .find((lease) => lease.lockId === lockId && lease.state === 'held');
      const released = held === undefined ? undefined : this.#needs.ledger.release(lockId);
      if (released !== undefined) freed.push(released);
    }
    if (freed.length > 0) await this.#needs.store.commit({ leases: freed });
  }

  #available(): {
    traits: NodeTraits;
    onboarded: ReturnType<ResourceLedger['free']>;
    free: ReturnType<ResourceLedger['free']>;
  } {
    return {
      traits: this.#needs.traits,
      onboarded: this.#needs.ledger.pools().onboarded,
      free: this.#needs.ledger.free(),
    };
  }

  /** The fullest of CPU and memory once this job is in, from 0 to 1. */
  #loadAfter(request: BidRequest): number {
    const { onboarded, free } = this.#needs.ledger.pools();
    const wanted = request.requirements.resources;
    const share = (total: number, left: number, more: number): number =>
      total === 0 ? 1 : Math.min(1, (total - left + more) / total);
    return Math.max(
      share(onboarded.cpuMillis, free.cpuMillis, wanted.cpuMillis),
      share(onboarded.memoryBytes, free.memoryBytes, wanted.memoryBytes),
    );
  }

  #decline(request: BidRequest, stage: Decline['stage'], refusal: Refusal): Answer {
    if (!request.answerAlways) return { kind: 'silence', reason: refusal.code };
    return { kind: 'decline', decline: this.#signDecline(request.requestId, request.jobId, stage, refusal) };
  }

  #signDecline(
    requestId: string,
    jobId: string,
    stage: Decline['stage'],
    refusal: Refusal,
  ): Evidence<Decline> {
    return signDecline(this.#needs.notary, requestId, jobId, stage, refusal);
  }
}

/** A signed no. */
export function signDecline(
  notary: Notary,
  requestId: string,
  jobId: string,
  stage: Decline['stage'],
  refusal: Refusal,
): Evidence<Decline> {
  const { code, message, field, required, available, retryable, retryAfterMs } = refusal;
  return notary.sign<Decline>('decline', {
    requestId,
    jobId,
    stage,
    code,
    message,
    ...(field === undefined ? {} : { field }),
    ...(required === undefined ? {} : { required }),
    ...(available === undefined ? {} : { available }),
    retryable,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

function grantOf(lease: Lease): NonNullable<Bid['lock']> {
  return { lockId: lease.lockId, version: lease.version, ttlMs: lease.ttlMs };
}

function refusalOf(comparison: CapabilityComparison, retryable: boolean): Refusal {
  const miss = nearestMiss(comparison);
  const field = miss?.field ?? 'resources';
  const engine = field.startsWith('engine.') || field.startsWith('runtime.');
  const resource = ['cpu', 'memory', 'disk', 'gpu'].some(
    (name) => field === name || field.startsWith(`${name}.`),
  );
  return {
    code: engine ? 'ENGINE_UNAVAILABLE' : resource ? 'INSUFFICIENT_RESOURCES' : 'CONSTRAINT_UNMET',
    message:
      miss === undefined
        ? 'The requirements do not fit.'
        : `${field}: ${miss.required} asked, ${miss.available} here.`,
    field,
    ...(miss === undefined ? {} : { required: miss.required, available: miss.available }),
    retryable,
  };
}
