import { sha256 } from '@noble/hashes/sha2.js';
import type { BidRequest } from './bid.ts';
import { reachedTag } from './reached.ts';

const encoder = new TextEncoder();

/** In [0, 1). Everybody can compute it, nobody can choose it, and it differs from request to request. */
function fractionOf(text: string): number {
  const [a = 0, b = 0, c = 0, d = 0] = sha256(encoder.encode(text));
  return (((a << 24) | (b << 16) | (c << 8) | d) >>> 0) / 2 ** 32;
}

/** Whether `peer` is among the share of providers that answer a request: no provider is always in or always out. */
export function isInAnswerShare(requestId: string, peer: string, share: number): boolean {
  return share >= 1 || fractionOf(`${requestId}\n${peer}`) < share;
}

/** Whether the requester asks for the word of `peer` by name. */
export function isInvited({ invited }: Pick<BidRequest, 'invited'>, peer: string): boolean {
  return invited?.includes(reachedTag(peer)) === true;
}

/** Whether `peer` is to answer: it is asked for by name, or in the share. */
export function isAsked(
  request: Pick<BidRequest, 'requestId' | 'answerShare' | 'invited'>,
  peer: string,
): boolean {
  return isInvited(request, peer) || isInAnswerShare(request.requestId, peer, request.answerShare);
}

/** Whether `peer` is among the share of a large network that tells why it makes no bid; another one than of those that bid. */
export function isInDeclineShare(requestId: string, peer: string, share: number): boolean {
  return share >= 1 || (share > 0 && fractionOf(`decline\n${requestId}\n${peer}`) < share);
}

/** Negative where `a` has the turn before `b` in this request: the same on every run, and another in the next request. */
export function turnIn(requestId: string, a: string, b: string): number {
  return fractionOf(`turn\n${requestId}\n${a}`) - fractionOf(`turn\n${requestId}\n${b}`);
}
