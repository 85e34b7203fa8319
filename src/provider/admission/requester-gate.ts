import { LRUCache } from 'lru-cache';
import type { Refusal } from '../../domain/bid.ts';
import type { Clock } from '../../lib/clock.ts';
import { TokenBucket } from '../../lib/token-bucket.ts';
import { NOT_SERVED } from '../bidding/policies.ts';
import type { RequesterReputation, Standing } from '../ports.ts';
import type { AdmissionLimits } from './limits.ts';

export interface GateNeeds {
  readonly self: string;
  readonly clock: Clock;
  /** Whether the owner of this node lets a requester be served at all. */
  readonly isServed: (requester: string) => boolean;
  readonly reputation: Pick<RequesterReputation, 'of'>;
}

/** Yes, no with a reason that may be told, or no without a word. */
export type Admission = 'in' | 'unheard' | Refusal;

interface Rates {
  readonly requests: TokenBucket;
  readonly declines: TokenBucket;
}

/**
 * Who may ask how much. A requester's own rate is spent by what it signed and by nothing else, so nobody can use up
 * the rate of somebody else; before a signature is looked at, only the question is put whether anything is left.
 */
export class RequesterGate {
  readonly #limits: AdmissionLimits;
  readonly #needs: GateNeeds;
  readonly #rates: LRUCache<string, Rates>;
  /** Requesters that kept a contract with this node. */
  readonly #kept: LRUCache<string, true>;
  readonly #all: TokenBucket;
  readonly #ofRegulars: TokenBucket;
  readonly #declines: TokenBucket;

  constructor(limits: AdmissionLimits, needs: GateNeeds) {
    const { clock } = needs;
    this.#limits = limits;
    this.#needs = needs;
    this.#rates = new LRUCache({ max: limits.rememberedRequesters });
    this.#kept = new LRUCache({ max: limits.rememberedRegulars });
    this.#all = new TokenBucket(limits.requestsInTotal, clock);
    this.#ofRegulars = new TokenBucket(limits.requestsOfRegulars, clock);
    this.#declines = new TokenBucket(limits.rateDeclinesInTotal, clock);
  }

  /** What a message can expect that only claims to be of `claimed`. Spends nothing. */
  standing(claimed: string): Standing {
    if (claimed === this.#needs.self) return 'regular';
    const rates = this.#rates.peek(claimed);
    const welcome = this.#needs.isServed(claimed) && rates?.requests.hasToken() !== false;
    if (!welcome && !(rates?.declines.hasToken() !== false && this.#declines.hasToken())) return 'shut';
    return this.isRegular(claimed) ? 'regular' : 'stranger';
  }

  /** Counts a message that `requester` signed; false when it was one too many. */
  heard(requester: string): boolean {
    return requester === this.#needs.self || this.#ratesOf(requester).requests.take();
  }

  /** Whether a request is looked into. `withinRate` is what {@link RequesterGate.heard} said of it. */
  admit(requester: string, withinRate: boolean): Admission {
    if (requester === this.#needs.self) return 'in';
    if (!this.#needs.isServed(requester)) return this.#told(requester, () => NOT_SERVED);
    if (!withinRate) {
      return this.#told(requester, () => tooMany('this requester', this.#ratesOf(requester).requests));
    }
    if (this.isRegular(requester) && this.#ofRegulars.take()) return 'in';
    return this.#all.take()
      ? 'in'
      : this.#told(requester, () => tooMany('requesters it has not worked for', this.#all));
  }

  /** A contract with the requester came to a good end. */
  kept(requester: string): void {
    this.#kept.set(requester, true);
  }

  isRegular(requester: string): boolean {
    if (requester === this.#needs.self) return true;
    return this.#kept.has(requester) && this.reputationOf(requester) >= this.#limits.regularReputation;
  }

  /** Thousandths. */
  reputationOf(requester: string): number {
    return this.#needs.reputation.of(requester);
  }

  /** A reason is signed and sent, so it is rationed too. */
  #told(requester: string, refusal: () => Refusal): Admission {
    const { declines } = this.#ratesOf(requester);
    if (!declines.hasToken() || !this.#declines.hasToken()) return 'unheard';
    declines.spend();
    this.#declines.spend();
    return refusal();
  }

  #ratesOf(requester: string): Rates {
    let rates = this.#rates.get(requester);
    if (rates === undefined) {
      const { requestsPerRequester, rateDeclinesPerRequester } = this.#limits;
      const { clock } = this.#needs;
      rates = {
        requests: new TokenBucket(requestsPerRequester, clock),
        declines: new TokenBucket(rateDeclinesPerRequester, clock),
      };
      this.#rates.set(requester, rates);
    }
    return rates;
  }
}

function tooMany(whose: string, bucket: TokenBucket): Refusal {
  return {
    code: 'RATE_LIMITED',
    message: `This node takes no more requests of ${whose} for now.`,
    retryable: true,
    retryAfterMs: Math.max(1, bucket.waitMs()),
  };
}
