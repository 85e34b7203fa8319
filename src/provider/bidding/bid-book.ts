import type { Bid, BidRequest } from '../../domain/bid.ts';
import type { Evidence } from '../../domain/evidence.ts';
import type { Clock } from '../../lib/clock.ts';

/** A bid that stands: what was asked, what was offered, and the lock once there is one. */
export interface OpenBid {
  readonly requester: string;
  readonly request: BidRequest;
  readonly bid: Bid;
  readonly standsUntilMs: number;
  /** Locks by execution id; a bid that came locked has its lock under its own bid id. */
  readonly locks: Map<string, { readonly lockId: string; readonly answer: Evidence<Bid> }>;
}

/** The bids of this provider that were neither used up nor withdrawn, bounded: the oldest one makes room. */
export class BidBook {
  readonly #clock: Clock;
  readonly #maxOpenBids: number;
  readonly #byRequest = new Map<string, OpenBid>();

  constructor(clock: Clock, maxOpenBids: number) {
    this.#clock = clock;
    this.#maxOpenBids = maxOpenBids;
  }

  /** Returns bids that had to make room or had lapsed; their locks are to be freed. */
  add(open: OpenBid): readonly OpenBid[] {
    const dropped: OpenBid[] = [];
    const now = this.#clock.monotonicMs();
    for (const [key, old] of this.#byRequest) {
      const full = this.#byRequest.size >= this.#maxOpenBids;
      if (!full && old.standsUntilMs > now) break;
      this.#byRequest.delete(key);
      dropped.push(old);
    }
    this.#byRequest.set(keyOf(open.requester, open.request.requestId), open);
    return dropped;
  }

  find(requester: string, requestId: string): OpenBid | undefined {
    const open = this.#byRequest.get(keyOf(requester, requestId));
    return open !== undefined && open.standsUntilMs > this.#clock.monotonicMs() ? open : undefined;
  }

  findByBidId(requester: string, bidId: string): OpenBid | undefined {
    for (const open of this.#byRequest.values()) {
      if (open.bid.bidId === bidId && open.requester === requester) return open;
    }
    return undefined;
  }

  remove(requester: string, requestId: string): OpenBid | undefined {
    const key = keyOf(requester, requestId);
    const open = this.#byRequest.get(key);
    this.#byRequest.delete(key);
    return open;
  }
}

function keyOf(requester: string, requestId: string): string {
  return `${requester}/${requestId}`;
}
