import type { BidRequest } from './bid.ts';

/** Enough of a peer id to tell a few dozen peers apart, whoever chose them. */
export const REACHED_TAG_LENGTH = 10;

/** How a request names a peer that gets it from the requester itself. */
export function reachedTag(peer: string): string {
  return peer.slice(-REACHED_TAG_LENGTH);
}

/** True when each of `peers` has the request from the requester itself, so that nobody needs to forward it to them. */
export function hasReached({ reached }: Pick<BidRequest, 'reached'>, peers: readonly string[]): boolean {
  return reached !== undefined && peers.every((peer) => reached.includes(reachedTag(peer)));
}
