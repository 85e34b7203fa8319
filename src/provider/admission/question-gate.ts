import { LRUCache } from 'lru-cache';
import type { Clock } from '../../lib/clock.ts';
import { CodedError } from '../../lib/coded-error.ts';
import { TokenBucket } from '../../lib/token-bucket.ts';
import type { AdmissionLimits } from './limits.ts';

export interface QuestionGateNeeds {
  readonly self: string;
  readonly clock: Clock;
  readonly isEstablished: (asker: string) => boolean;
}

/**
 * Who may ask how often what became of a contract. An unknown contract costs a signature and a record on disk, which
 * anybody could make this node write; a refusal costs an honest requester nothing but another try.
 */
export class QuestionGate {
  readonly #limits: AdmissionLimits;
  readonly #needs: QuestionGateNeeds;
  readonly #byAsker: LRUCache<string, TokenBucket>;
  readonly #all: TokenBucket;
  readonly #ofEstablished: TokenBucket;

  constructor(limits: AdmissionLimits, needs: QuestionGateNeeds) {
    this.#limits = limits;
    this.#needs = needs;
    this.#byAsker = new LRUCache({ max: limits.rememberedRequesters });
    this.#all = new TokenBucket(limits.questionsInTotal, needs.clock);
    this.#ofEstablished = new TokenBucket(limits.questionsOfEstablished, needs.clock);
  }

  /** Throws `RATE_LIMITED`. For the party of a contract that is under way here nobody else's questions count. */
  admit(asker: string, isParty: boolean): void {
    if (asker === this.#needs.self) return;
    const welcome =
      this.#bucketOf(asker).take() &&
      (isParty || (this.#needs.isEstablished(asker) && this.#ofEstablished.take()) || this.#all.take());
    if (!welcome) {
      throw new CodedError('RATE_LIMITED', 'This node is asked for contracts too often. Ask again later.');
    }
  }

  #bucketOf(asker: string): TokenBucket {
    let bucket = this.#byAsker.get(asker);
    if (bucket === undefined) {
      bucket = new TokenBucket(this.#limits.questionsPerAsker, this.#needs.clock);
      this.#byAsker.set(asker, bucket);
    }
    return bucket;
  }
}
