import type { Bid, BidRequest } from '../../domain/market/bid.ts';
import type { Evidence } from '../../domain/market/evidence.ts';
import { costNano, isDecimalAmount } from '../../domain/units/money.ts';
import type { BidRefusalCode } from '../../domain/market/passed-over.ts';
import { addsUp } from '../../domain/units/rate-card.ts';

/**
 * Whether a bid may enter the index. The signature is good already and the signer is the peer that delivered it;
 * this is about whether it answers this request, and whether it may be used.
 */
export function checkBid(
  bid: Evidence<Bid>,
  request: BidRequest,
  bidders: { has(provider: string): boolean },
): BidRefusalCode | undefined {
  const { value, signer } = bid;
  if (value.requestId !== request.requestId) return 'UNKNOWN_REQUEST';
  if (bidders.has(signer)) return 'DUPLICATE_BID';
  if (value.jobId !== request.jobId) return 'WRONG_JOB';
  if (request.exclude.includes(signer)) return 'EXCLUDED_PROVIDER';
  if (!isDecimalAmount(value.price.amount) || !addsUp(value.price)) return 'INVALID_PRICE';
  if (value.validForMs <= 0) return 'BID_EXPIRED';
  if (!value.comparison.hardOk) return 'HARD_CONSTRAINT_UNMET';
  if (value.lock !== undefined && value.lock.ttlMs <= 0) return 'LOCK_EXPIRED';
  const { budget } = request;
  if (budget !== undefined) {
    const durationMs = request.requirements.executionTimeoutMs;
    if (value.price.currency !== budget.currency) return 'OVER_BUDGET';
    if (costNano(value.price, durationMs) > costNano(budget, durationMs)) return 'OVER_BUDGET';
  }
  return undefined;
}
