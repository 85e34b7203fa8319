import { isAsked, isInDeclineShare, isInvited } from '../../domain/market/answer-share.ts';
import { answerDelayMs, answerFit } from '../../domain/ranking/answering.ts';
import type { BidRequest, Refusal } from '../../domain/market/bid.ts';
import type { BidFit } from '../../domain/matching/bid-fit.ts';
import type { CapabilityComparison } from '../../domain/matching/comparison.ts';
import { FITS_LESS_WELL } from './refusals.ts';

/** What a request lets this node say: a bid, no more than a no, or nothing. */
export function answerModeOf(
  request: BidRequest,
  node: { readonly self: string; readonly isOwn: boolean; readonly isConnected: () => boolean },
): 'bid' | 'decline' | 'none' {
  if (node.isOwn || isAsked(request, node.self)) return 'bid';
  const told = isInDeclineShare(request.requestId, node.self, request.declineShare ?? 0);
  // A no is not worth a dial, so it is not worth the comparison either.
  return !request.answerAlways && told && node.isConnected() ? 'decline' : 'none';
}

/** Whether a no goes out: always on small networks and of those asked by name, and on large ones from a sample. */
export function tellsNo(request: BidRequest, self: string): boolean {
  return (
    request.answerAlways ||
    isInvited(request, self) ||
    isInDeclineShare(request.requestId, self, request.declineShare ?? 0)
  );
}

/** How long the bid waits for better ones, or that it is not asked for. */
export function turnOf(
  request: BidRequest,
  comparison: CapabilityComparison,
  fit: BidFit | undefined,
  self: string,
):
  | { readonly kind: 'bid'; readonly delayMs: number }
  | { readonly kind: 'left-out'; readonly refusal: Refusal } {
  if (fit === undefined || isInvited(request, self)) return { kind: 'bid', delayMs: 0 };
  const gpusWanted = request.requirements.resources.gpus.reduce((sum, group) => sum + group.count, 0);
  const value = answerFit(comparison.softScore, fit, gpusWanted);
  if (value < (request.answerFit?.least ?? 0)) return { kind: 'left-out', refusal: FITS_LESS_WELL };
  return { kind: 'bid', delayMs: answerDelayMs(request, value) };
}
