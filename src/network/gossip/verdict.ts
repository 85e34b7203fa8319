import type { Rejection, RejectionCode } from '../../messages/rejection.ts';
import type { NetworkContext } from '../context.ts';
import type { GossipVerdict } from '../underlay.ts';

/** What a gossip message turned out to be. */
export type GossipOutcome =
  | { readonly kind: 'request'; readonly forward: boolean }
  | { readonly kind: 'closed' | 'advert' }
  /** Good, but known already. */
  | { readonly kind: 'repeat' }
  /** More than is taken from this neighbour; not looked at. */
  | { readonly kind: 'surplus' }
  | { readonly kind: 'rejected'; readonly rejection: Rejection };

/**
 * `reject` counts against the peer that forwarded the message, so it is only for what no honest peer forwards.
 * Clocks differ, and others may be of a later release: what this node does not know is ignored.
 */
const REJECTION_VERDICTS: Readonly<Record<RejectionCode, GossipVerdict>> = {
  OVERSIZED: 'reject',
  MALFORMED: 'reject',
  UNKNOWN_VERSION: 'ignore',
  UNKNOWN_KIND: 'ignore',
  UNKNOWN_VALUE: 'ignore',
  WRONG_NETWORK: 'reject',
  EXPIRED: 'ignore',
  WRONG_SIGNER: 'reject',
  BAD_SIGNATURE: 'reject',
};

/** The one place where validation becomes a gossip verdict, and where it is counted and logged. */
export function verdictOf(context: NetworkContext, from: string, outcome: GossipOutcome): GossipVerdict {
  if (outcome.kind === 'rejected') {
    const { code, detail } = outcome.rejection;
    context.counters.add(`gossip.${code}`);
    if (code === 'EXPIRED') context.strays.refused();
    context.logger.debug('gossip message refused', { from, code, detail });
    const verdict = REJECTION_VERDICTS[code];
    if (verdict === 'reject') context.allowances.fault(from, code);
    return verdict;
  }
  context.counters.add(`gossip.${outcome.kind}`);
  if (outcome.kind === 'request') return outcome.forward ? 'accept' : 'ignore';
  return outcome.kind === 'repeat' || outcome.kind === 'surplus' ? 'ignore' : 'accept';
}
