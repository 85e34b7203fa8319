import type { RateLimit } from '../../lib/token-bucket.ts';

/** Bounds on what requesters can make this provider do; listed in specs/limits.md, explained in specs/protection.md. */
export interface AdmissionLimits {
  /** Signed requests and notices of one requester, whether they are answered or not. */
  readonly requestsPerRequester: RateLimit;
  /** The same of an established requester. */
  readonly requestsPerEstablished: RateLimit;
  /** Requests of one stranger that are looked into. */
  readonly answersPerStranger: RateLimit;
  /** Requests that are looked into, of everybody together. */
  readonly requestsInTotal: RateLimit;
  /** As many again, for established requesters alone. */
  readonly requestsOfEstablished: RateLimit;
  /** Signed answers to requests that are not looked into, per requester and in total; beyond them there is silence. */
  readonly refusalsPerRequester: RateLimit;
  readonly refusalsInTotal: RateLimit;
  /** Strangers are looked into one at a time, with this between two of them; established requesters go past. 0: all at once. */
  readonly strangersApartMs: number;
  /** Strangers that may wait for that. */
  readonly strangersWaiting: number;
  /** Questions what became of a contract, per peer and of everybody together. */
  readonly questionsPerAsker: RateLimit;
  readonly questionsInTotal: RateLimit;
  /** As many again, for established requesters alone. */
  readonly questionsOfEstablished: RateLimit;
  /** Bids that are out and were neither refused nor ended. */
  readonly negotiations: number;
  readonly negotiationsPerRequester: number;
  /** Out of `negotiations`, those that only established requesters can have. */
  readonly negotiationsOfEstablished: number;
  /** When who found none of them free is to ask again. */
  readonly seatRetryMs: number;
  /** Requesters, and askers, whose rates are remembered: the one silent longest starts afresh. */
  readonly rememberedRequesters: number;
  /** Requesters that are remembered for contracts they kept. */
  readonly rememberedEstablished: number;
  /** Thousandths; with less of a reputation nobody is an established requester. */
  readonly establishedReputation: number;
}

export const defaultAdmissionLimits: AdmissionLimits = {
  requestsPerRequester: { burst: 128, perSecond: 64 },
  requestsPerEstablished: { burst: 512, perSecond: 128 },
  answersPerStranger: { burst: 64, perSecond: 8 },
  requestsInTotal: { burst: 64, perSecond: 32 },
  requestsOfEstablished: { burst: 1024, perSecond: 256 },
  refusalsPerRequester: { burst: 4, perSecond: 1 },
  refusalsInTotal: { burst: 16, perSecond: 8 },
  strangersApartMs: 20,
  strangersWaiting: 64,
  questionsPerAsker: { burst: 64, perSecond: 16 },
  questionsInTotal: { burst: 256, perSecond: 32 },
  questionsOfEstablished: { burst: 256, perSecond: 32 },
  negotiations: 512,
  negotiationsPerRequester: 128,
  negotiationsOfEstablished: 256,
  seatRetryMs: 5000,
  rememberedRequesters: 8192,
  rememberedEstablished: 4096,
  establishedReputation: 500,
};
