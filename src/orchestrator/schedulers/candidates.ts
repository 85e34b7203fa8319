import type { Execution } from '../../domain/market/execution.ts';
import { type EligibleComputeProviderData, hasRunOut, type Search } from '../../domain/market/search.ts';

/** States that tell this provider should not be asked again in the same round. */
const ENDED_BADLY: ReadonlySet<string> = new Set(['AskForBidRejected', 'BidRejected', 'Failed']);

/**
 * The best bids of a round that can still be used: the negotiation is open, the bid has not run out, the provider
 * offered a place that is not taken yet, and it did not say no in this round.
 */
export function pickCandidates(
  search: Search,
  executions: readonly Execution[],
  openNegotiations: ReadonlySet<string>,
  wanted: number,
  now: number,
): readonly EligibleComputeProviderData[] {
  const ofRound = executions.filter((execution) => execution.requestId === search.requestId);
  const picked: EligibleComputeProviderData[] = [];
  for (const entry of inOrder(search, executions)) {
    if (!openNegotiations.has(entry.provider) || hasRunOut(entry, now)) continue;
    const used = ofRound.filter((execution) => execution.provider === entry.provider);
    const saidNo = used.some(({ observed }) => ENDED_BADLY.has(observed.state));
    if (saidNo) continue;
    // A bid that came locked holds capacity for one execution only.
    const places = (entry.bid.value.lock === undefined ? entry.bid.value.slots : 1) - used.length;
    for (let place = 0; place < places && picked.length < wanted; place += 1) picked.push(entry);
    if (picked.length >= wanted) break;
  }
  return picked;
}

/** A job that somebody left without an answer goes to those first that have kept a contract, whatever others bid. */
function inOrder(
  { index }: Search,
  executions: readonly Execution[],
): readonly EligibleComputeProviderData[] {
  const wasLeft = executions.some(({ observed }) => 'end' in observed && observed.end.silent === true);
  if (!wasLeft) return index.entries;
  return [
    ...index.entries.filter(({ known }) => known === true),
    ...index.entries.filter(({ known }) => known !== true),
  ];
}

/** Who could still be asked but for a bid that has run out unused, where that is not on record yet. */
export function newlyRunOut(
  search: Search,
  executions: readonly Execution[],
  openNegotiations: ReadonlySet<string>,
  now: number,
): readonly string[] {
  const told = new Set(
    search.index.refused.flatMap(({ provider, code }) => (code === 'BID_EXPIRED' ? [provider] : [])),
  );
  const used = new Set(
    executions.flatMap(({ requestId, provider }) => (requestId === search.requestId ? [provider] : [])),
  );
  return search.index.entries
    .filter((entry) => openNegotiations.has(entry.provider) && hasRunOut(entry, now))
    .map(({ provider }) => provider)
    .filter((provider) => !told.has(provider) && !used.has(provider));
}
