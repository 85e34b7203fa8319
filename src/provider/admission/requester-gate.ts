import { LRUCache } from 'lru-cache';
import type { Refusal } from '../../domain/market/bid.ts';
import type { Clock } from '../../lib/clock.ts';
import { TokenBucket } from '../../lib/token-bucket.ts';
import { NOT_SERVED } from '../bidding/policies.ts';
import type { Admission } from '../bidding/refusals.ts';
import type { RequesterReputation, Standing } from '../ports.ts';
import type { AdmissionLimits } from './limits.ts';

export interface GateNeeds {
  readonly self: string;
  readonly clock: Clock;
  /** Whether the owner of this node lets a requester be served at all. */
  readonly isServed: (requester: string) => boolean;
  readonly reputation: Pick<RequesterReputation, 'of'>;
}

interface Rates {
  /** What the rates were made for: who becomes an established requester, or is none any more, starts afresh. */
  readonly established: boolean;
  readonly requests: TokenBucket;
  readonly answers: TokenBucket;
  readonly refusals: TokenBucket;
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
  readonly #ofEstablished: TokenBucket;
  readonly #refusals: TokenBucket;

  constructor(limits: AdmissionLimits, needs: GateNeeds) {
    const { clock } = needs;
    this.#limits = limits;
    this.#needs = needs;
    this.#rates = new LRUCache({ max: limits.rememberedRequesters });
    this.#kept = new LRUCache({ max: limits.rememberedEstablished });
    this.#all = new TokenBucket(limits.requestsInTotal, clock);
    this.#ofEstablished = new TokenBucket(limits.requestsOfEstablished, clock);
    this.#refusals = new TokenBucket(limits.refusalsInTotal, clock);
  }

  /** What a message can expect that only claims to be of `claimed`. Spends nothing. */
  standing(claimed: string): Standing {
    if (claimed === this.#needs.self) return 'established';
    const established = this.isEstablished(claimed);
    const known = this.#rates.peek(claimed);
    const rates = known?.established === established ? known : undefined;
    const welcome =
      this.#needs.isServed(claimed) &&
      rates?.requests.hasToken() !== false &&
      ((established && this.#ofEstablished.hasToken()) || this.#hasRoomFor(rates));
    if (!welcome && !this.#mayBeTold(rates)) return 'shut';
    return established ? 'established' : 'stranger';
  }

  /** Counts a message that `requester` signed; false when it was one too many. */
  counts(requester: string): boolean {
    return requester === this.#needs.self || this.#ratesOf(requester).requests.take();
  }

  /** Counts a message that nobody will look into. One too many uses up a refusal, though nobody is told. */
  heard(requester: string): void {
    if (!this.counts(requester)) this.unheard(requester);
  }

  /** A message over the rate that nobody looked into: after a few of them the requester is `shut`. */
  unheard(requester: string): void {
    this.#spendRefusal(this.#ratesOf(requester));
  }

  /** Whether a request is looked into. `withinRate` is what {@link RequesterGate.counts} said of it. */
  admit(requester: string, withinRate: boolean): Admission {
    if (requester === this.#needs.self) return 'in';
    if (!this.#needs.isServed(requester)) return this.told(requester, () => NOT_SERVED);
    const rates = this.#ratesOf(requester);
    if (!withinRate) return this.told(requester, () => tooMany('requester', rates.requests));
    if (rates.established && this.#ofEstablished.take()) return 'in';
    if (!rates.answers.hasToken()) {
      return this.told(requester, () => tooMany('requester', rates.answers));
    }
    if (!this.#all.take()) {
      return this.told(requester, () => tooMany('strangers', this.#all));
    }
    rates.answers.spend();
    return 'in';
  }

  /** The reason, or silence: a reason is signed and sent on a stream of its own, so it is rationed. */
  told(requester: string, refusal: () => Refusal): Admission {
    return this.#spendRefusal(this.#ratesOf(requester)) ? refusal() : 'unheard';
  }

  /** A contract with the requester came to a good end. */
  kept(requester: string): void {
    this.#kept.set(requester, true);
  }

  isEstablished(requester: string): boolean {
    if (requester === this.#needs.self) return true;
    return this.#kept.has(requester) && this.reputationOf(requester) >= this.#limits.establishedReputation;
  }

  /** Thousandths. */
  reputationOf(requester: string): number {
    return this.#needs.reputation.of(requester);
  }

  #hasRoomFor(rates: Rates | undefined): boolean {
    return rates?.answers.hasToken() !== false && this.#all.hasToken();
  }

  #mayBeTold(rates: Rates | undefined): boolean {
    return rates?.refusals.hasToken() !== false && this.#refusals.hasToken();
  }

  #spendRefusal(rates: Rates): boolean {
    if (!this.#mayBeTold(rates)) return false;
    rates.refusals.spend();
    this.#refusals.spend();
    return true;
  }

  #ratesOf(requester: string): Rates {
    const established = this.isEstablished(requester);
    let rates = this.#rates.get(requester);
    if (rates?.established !== established) {
      const { requestsPerRequester, requestsPerEstablished, answersPerStranger, refusalsPerRequester } =
        this.#limits;
      const { clock } = this.#needs;
      rates = {
        established,
        requests: new TokenBucket(established ? requestsPerEstablished : requestsPerRequester, clock),
        // Beyond the share of established requesters one of them waits in line like anybody, but not for a rate of its own.
        answers: new TokenBucket(established ? requestsPerEstablished : answersPerStranger, clock),
        refusals: new TokenBucket(refusalsPerRequester, clock),
      };
      this.#rates.set(requester, rates);
    }
    return rates;
  }
}

function tooMany(of: 'requester' | 'strangers', bucket: TokenBucket): Refusal {
  return {
    code: 'RATE_LIMITED',
    why: { code: 'too-many-requests', data: { of } },
    retryable: true,
    retryAfterMs: Math.max(1, bucket.waitMs()),
  };
}
