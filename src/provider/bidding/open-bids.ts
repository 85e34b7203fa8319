import type { Bid, BidRequest } from '../../domain/market/bid.ts';
import type { Evidence } from '../../domain/market/evidence.ts';
import type { Clock } from '../../lib/clock.ts';

/** A bid that stands: what was asked, what was offered, and the lock once there is one. */
export interface OpenBid {
  readonly requester: string;
  readonly request: BidRequest;
  readonly bid: Bid;
  readonly standsUntilMs: number;
  /** Locks by execution id; a bid that came locked has its lock under its own bid id. */
  readonly locks: Map<string, GrantedLock>;
}

export interface GrantedLock {
  readonly lockId: string;
  readonly answer: Evidence<Bid>;
  /** Resolves when the lock is on disk: the answer leaves no earlier. */
  readonly durable: Promise<void>;
}

/** The bids of this provider that were neither used up nor withdrawn, bounded: the oldest one makes room. */
export class OpenBids {
  readonly #clock: Clock;
  readonly #maxOpenBids: number;
  readonly #byRequest = new Map<string, OpenBid>();
  readonly #byBid = new Map<string, OpenBid>();

  constructor(clock: Clock, maxOpenBids: number) {
    this.#clock = clock;
    this.#maxOpenBids = maxOpenBids;
  }

  /** Returns bids that had to make room or had lapsed; their locks are to be freed. */
  add(open: OpenBid): readonly OpenBid[] {
    const dropped: OpenBid[] = [];
    const now = this.#clock.monotonicMs();
    for (const old of this.#byRequest.values()) {
      const full = this.#byRequest.size >= this.#maxOpenBids;
      if (!full && old.standsUntilMs > now) break;
      this.#delete(old);
      dropped.push(old);
    }
    this.#byRequest.set(keyOf(open.requester, open.request.requestId), open);
    this.#byBid.set(open.bid.bidId, open);
    return dropped;
  }

  /** The bid for a request while it stands. */
  find(requester: string, requestId: string): OpenBid | undefined {
    const open = this.#byRequest.get(keyOf(requester, requestId));
    return open !== undefined && open.standsUntilMs > this.#clock.monotonicMs() ? open : undefined;
  }

  /** Whether or not it still stands. */
  findByBidId(requester: string, bidId: string): OpenBid | undefined {
    const open = this.#byBid.get(bidId);
    return open?.requester === requester ? open : undefined;
  }

  remove(requester: string, requestId: string): OpenBid | undefined {
    const open = this.#byRequest.get(keyOf(requester, requestId));
    if (open !== undefined) this.#delete(open);
    return open;
  }

  #delete(open: OpenBid): void {
    this.#byRequest.delete(keyOf(open.requester, open.request.requestId));
    this.#byBid.delete(open.bid.bidId);
  }
}

function keyOf(requester: string, requestId: string): string {
  return `${requester}/${requestId}`;
}
