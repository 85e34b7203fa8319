import type { Asker } from '../../domain/explain/explanation.ts';
import { isTerminalJobState, type Job } from '../../domain/job/job.ts';
import type { Market, PeerTable, RequestTarget } from '../ports.ts';

/** Who is asked: everybody by gossip, or these directly. */
export type SearchTargets = readonly RequestTarget[] | undefined;

/** Of the peer table so many times the wanted bids are asked, since it may be old and some will decline. */
const ASKED_PER_WANTED_BID = 2;

/** How many of the providers that fit a search asks at most, where it does not ask all. */
export function mostAsked(spec: Job['spec'], wantedBids: number): { readonly mostAsked?: number } {
  if (spec.orchestrationType === 'pull') return {};
  return { mostAsked: spec.preferredProviders.length > 0 ? 0 : limitFor(spec, wantedBids) };
}

/** How a job waits for room, for those who explain it. */
export function waitOf({ spec, state }: Job): Pick<Asker, 'queue'> {
  const { queueMs, queueFor } = spec.timeouts;
  if (queueMs === 0) return {};
  const isOver = isTerminalJobState(state);
  return { queue: { forMs: queueMs, onlyForRoom: queueFor === 'room', isOver } };
}

function limitFor({ count }: Job['spec'], wantedBids: number): number {
  return Math.max(wantedBids, count) * ASKED_PER_WANTED_BID;
}

/**
 * Push: the user's own choice of providers, or the best of the peer table, and none of those the search excludes.
 * Pull: nobody in particular.
 */
export function targetsOf(
  job: Job,
  exclude: readonly string[],
  market: Pick<Market, 'self'>,
  peers: PeerTable,
  wantedBids: number,
): SearchTargets {
  const spec = { ...job.spec, excludedProviders: exclude };
  if (spec.orchestrationType === 'pull') return undefined;
  const excluded = new Set(exclude);
  if (spec.preferredProviders.length > 0) {
    return spec.preferredProviders
      .filter((peer) => !excluded.has(peer))
      .map((peer) => ({ peer, ...recordOf(peers.recordOf(peer)) }));
  }
  const chosen = peers.candidates(spec, limitFor(spec, wantedBids)).filter(({ peer }) => !excluded.has(peer));
  // Alone in the table or not there at all, this node can still serve itself.
  return chosen.length > 0 || excluded.has(market.self) ? chosen : [{ peer: market.self }];
}

function recordOf(peerRecord: Uint8Array | undefined): { readonly peerRecord?: Uint8Array } {
  return peerRecord === undefined ? {} : { peerRecord };
}
