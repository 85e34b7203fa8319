import type { Job } from '../../domain/job/job.ts';
import type { Search } from '../../domain/market/search.ts';
import type { PeerTable } from '../ports.ts';
import type { SearchOutcome } from './open-search.ts';

const MOST_FIELDS = 16;

/** What the peer table says of those who could have been asked, where nobody was. */
export function unheardBy(
  { spec }: Job,
  { reason, seenAtLeast }: Pick<SearchOutcome, 'reason' | 'seenAtLeast'>,
  peers: Pick<PeerTable, 'explain'>,
): Pick<Search, 'unheard'> {
  if (seenAtLeast > 0 || reason === 'interrupted' || reason === 'cancelled') return {};
  const { known, fitting, misses = [] } = peers.explain(spec);
  const fields = [...new Set(misses.map(({ field }) => field))].slice(0, MOST_FIELDS);
  return { unheard: { known, fitting, misses: fields } };
}

/**
 * Whether the peer table knows of somebody who could take the job with less running there. Only asked where no bid came:
 * on a large network most of those who have no room say nothing.
 */
export function roomBy(
  { spec }: Job,
  { exclude }: Search,
  { bids }: Pick<SearchOutcome, 'bids'>,
  peers: Pick<PeerTable, 'explain'>,
): Pick<Search, 'roomMayCome'> {
  const onlyChosen = spec.orchestrationType === 'push' && spec.preferredProviders.length > 0;
  if (bids.length > 0 || onlyChosen) return {};
  return peers.explain({ ...spec, excludedProviders: exclude }).busy > 0 ? { roomMayCome: true } : {};
}
