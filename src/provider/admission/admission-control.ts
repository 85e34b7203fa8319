import type { BidRequest } from '../../domain/market/bid.ts';
import type { Evidence } from '../../domain/market/evidence.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Bidder } from '../bidding/bidder.ts';
import { type Admission, noSeat } from '../bidding/refusals.ts';
import type { Answer } from '../ports.ts';
import type { AdmissionLimits } from './limits.ts';
import { NegotiationSeats } from './negotiation-seats.ts';
import type { RequesterGate } from './requester-gate.ts';
import { StrangerTurns } from './stranger-turns.ts';

export interface AdmissionControlNeeds {
  readonly clock: Clock;
  readonly gate: RequesterGate;
  readonly bidder: Pick<Bidder, 'answer' | 'ended'>;
  /** An established requester asks for something that this node would answer. */
  readonly onEstablished: () => void;
}

/** What became of one request on its way to the bidder. */
interface Visit {
  readonly requester: string;
  readonly withinRate: boolean;
  asked: boolean;
  seated: boolean;
  /** Of a stranger that is looked into, now or later. */
  turn?: Promise<void>;
  mustWait: boolean;
}

/** Stands before the bidder: what it lets through is looked into, and every bid that goes out has a seat. */
export class AdmissionControl {
  readonly #limits: AdmissionLimits;
  readonly #needs: AdmissionControlNeeds;
  readonly #seats: NegotiationSeats;
  readonly #turns: StrangerTurns;
  /** Bids that are out, by requester and request: their ends give the seats back. */
  readonly #seated = new Set<string>();

  constructor(limits: AdmissionLimits, needs: AdmissionControlNeeds) {
    this.#limits = limits;
    this.#needs = needs;
    this.#seats = new NegotiationSeats(limits);
    this.#turns = new StrangerTurns(limits.strangersApartMs, limits.strangersWaiting, needs.clock);
  }

  get openNegotiations(): number {
    return this.#seats.taken;
  }

  async answer(evidence: Evidence<BidRequest>): Promise<Answer> {
    const { signer: requester, value } = evidence;
    const { gate, bidder } = this.#needs;
    const visit: Visit = {
      requester,
      withinRate: gate.counts(requester),
      asked: false,
      seated: false,
      mustWait: false,
    };
    let bids = false;
    try {
      let answer = await bidder.answer(evidence, () => this.#admit(visit));
      if (visit.mustWait) {
        await visit.turn;
        answer = await bidder.answer(evidence, () => this.#seat(visit));
      }
      bids = answer.kind === 'bid';
      return answer;
    } finally {
      void visit.turn?.then(() => this.#turns.over());
      if (!visit.asked && !visit.withinRate) gate.unheard(requester);
      if (bids) this.#seated.add(keyOf(requester, value.requestId));
      else if (visit.seated) this.#seats.giveBack(requester);
    }
  }

  /** The negotiation is over, however it went. */
  ended(requester: string, requestId: string): void {
    if (this.#seated.delete(keyOf(requester, requestId))) this.#seats.giveBack(requester);
    this.#needs.bidder.ended(requester, requestId);
  }

  /** A stranger for whom it is no turn yet gets silence here, and is looked into when its turn comes. */
  #admit(visit: Visit): Admission {
    const { gate } = this.#needs;
    const { requester } = visit;
    visit.asked = true;
    const admission = gate.admit(requester, visit.withinRate);
    if (admission !== 'in') return admission;
    if (gate.isEstablished(requester)) {
      this.#needs.onEstablished();
      return this.#seat(visit);
    }
    const { isFree, hasRoom } = this.#turns;
    if (!isFree && !hasRoom) {
      const { strangersApartMs, strangersWaiting } = this.#limits;
      return gate.told(requester, () => noSeat({ retryAfterMs: strangersApartMs * strangersWaiting }));
    }
    visit.turn = this.#turns.take();
    visit.mustWait = !isFree;
    return visit.mustWait ? 'unheard' : this.#seat(visit);
  }

  #seat(visit: Visit): Admission {
    const { gate } = this.#needs;
    const { requester } = visit;
    const established = gate.isEstablished(requester);
    visit.seated = this.#seats.take({ requester, established, reputation: gate.reputationOf(requester) });
    if (visit.seated) return 'in';
    return gate.told(requester, () => noSeat({ retryAfterMs: this.#limits.seatRetryMs }));
  }
}

function keyOf(requester: string, requestId: string): string {
  return `${requester}/${requestId}`;
}
