import type { BidRequest, Refusal } from '../../domain/bid.ts';
import type { Evidence } from '../../domain/evidence.ts';
import type { Bidder } from '../bidding/bidder.ts';
import type { Answer } from '../ports.ts';
import type { AdmissionLimits } from './limits.ts';
import { NegotiationSeats } from './negotiation-seats.ts';
import type { Admission, RequesterGate } from './requester-gate.ts';

export interface FrontDeskNeeds {
  readonly gate: RequesterGate;
  readonly bidder: Pick<Bidder, 'answer' | 'ended'>;
}

const NO_SEAT: Refusal = {
  code: 'BUSY',
  message: 'This node has as many negotiations open as it may.',
  retryable: true,
};

/** Stands before the bidder: what it lets through is looked into, and every bid that goes out has a seat. */
export class FrontDesk {
  readonly #needs: FrontDeskNeeds;
  readonly #seats: NegotiationSeats;
  /** Bids that are out, by requester and request: their ends give the seats back. */
  readonly #seated = new Set<string>();

  constructor(limits: AdmissionLimits, needs: FrontDeskNeeds) {
    this.#needs = needs;
    this.#seats = new NegotiationSeats(limits);
  }

  get openNegotiations(): number {
    return this.#seats.taken;
  }

  async answer(evidence: Evidence<BidRequest>): Promise<Answer> {
    const { signer: requester, value } = evidence;
    const { gate, bidder } = this.#needs;
    const withinRate = gate.heard(requester);
    let seated = false;
    const admit = (): Admission => {
      const admission = gate.admit(requester, withinRate);
      if (admission !== 'in') return admission;
      seated = this.#seat(requester);
      return seated ? 'in' : NO_SEAT;
    };
    let bids = false;
    try {
      const answer = await bidder.answer(evidence, admit);
      bids = answer.kind === 'bid';
      return answer;
    } finally {
      if (bids) this.#seated.add(keyOf(requester, value.requestId));
      else if (seated) this.#seats.giveBack(requester);
    }
  }

  /** The negotiation is over, however it went. */
  ended(requester: string, requestId: string): void {
    if (this.#seated.delete(keyOf(requester, requestId))) this.#seats.giveBack(requester);
    this.#needs.bidder.ended(requester, requestId);
  }

  #seat(requester: string): boolean {
    const { gate } = this.#needs;
    const regular = gate.isRegular(requester);
    return this.#seats.take({ requester, regular, reputation: gate.reputationOf(requester) });
  }
}

function keyOf(requester: string, requestId: string): string {
  return `${requester}/${requestId}`;
}
