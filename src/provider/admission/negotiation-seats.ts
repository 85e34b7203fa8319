import { assert } from '../../lib/assert.ts';
import type { AdmissionLimits } from './limits.ts';

export interface Guest {
  readonly requester: string;
  readonly established: boolean;
  /** Thousandths: who is thought less of has fewer seats, but always one. */
  readonly reputation: number;
}

/** The negotiations that may be open at once, some of them kept for established requesters. */
export class NegotiationSeats {
  readonly #limits: AdmissionLimits;
  readonly #byRequester = new Map<string, number>();
  #taken = 0;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Whoever gets true gives the seat back, once. */
  take({ requester, established, reputation }: Guest): boolean {
    const { negotiations, negotiationsOfEstablished, negotiationsPerRequester } = this.#limits;
    const open = established ? negotiations : negotiations - negotiationsOfEstablished;
    const own = Math.max(1, Math.floor((negotiationsPerRequester * reputation) / 1000));
    const held = this.#byRequester.get(requester) ?? 0;
    if (this.#taken >= open || held >= own) return false;
    this.#taken += 1;
    this.#byRequester.set(requester, held + 1);
    return true;
  }

  giveBack(requester: string): void {
    const held = this.#byRequester.get(requester) ?? 0;
    assert(held > 0, 'a seat is given back once');
    this.#taken -= 1;
    if (held === 1) this.#byRequester.delete(requester);
    else this.#byRequester.set(requester, held - 1);
  }
}
