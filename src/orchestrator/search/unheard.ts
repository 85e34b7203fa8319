import type { Job } from '../../domain/job.ts';
import type { Search } from '../../domain/search.ts';
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
