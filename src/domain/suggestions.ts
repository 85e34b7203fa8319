import type { NearestMiss, TableHints } from './explanation.ts';
import type { Search } from './search.ts';

/** What is known of a job that nobody has taken. */
export interface Shortage {
  readonly search: Search | undefined;
  /** Of the declines and of the bids that were refused. */
  readonly codes: ReadonlySet<string>;
  /** Providers that fit and have no room just now. */
  readonly noRoom: number;
  /** Preferred providers that were looked for and said nothing. */
  readonly silent: readonly string[];
  readonly nearest: NearestMiss | undefined;
  readonly table: TableHints | undefined;
}

const MOST_NAMED = 3;

/** The smallest changes that would have helped, as sentences. */
export function suggestionsFor(shortage: Shortage): readonly string[] {
  const { search, codes, silent, nearest, table } = shortage;
  const suggestions: string[] = [];
  if (nearest !== undefined) {
    const { field, required, available, providers } = nearest;
    const nodes = providers === 1 ? '1 node' : `${providers} nodes`;
    suggestions.push(`${field}: ${required} asked, best seen ${available} on ${nodes}.`);
  }
  const later = whenToTry(shortage);
  if (later !== undefined) suggestions.push(later);
  if (codes.has('PRICE') || codes.has('OVER_BUDGET'))
    suggestions.push('budget.maxPrice: raise it, or leave the budget out.');
  if (codes.has('RATE_LIMITED')) suggestions.push('Try again later, or give timeouts.queue some time.');
  if (silent.length > 0) {
    suggestions.push(
      `preferredProviders: no answer from ${namesOf(silent)}. Check the ids, and that those nodes run and can be reached.`,
    );
  }
  const nobody = (search?.seenAtLeast ?? 0) === 0 && (table?.known ?? 0) === 0;
  if (search !== undefined && nobody) {
    suggestions.push(
      'No provider was reached: start one with "bidmesh start", or join a network with --bootstrap.',
    );
  }
  return suggestions;
}

/** Providers by their ids, the first few of many. */
export function namesOf(providers: readonly string[]): string {
  const named = providers.slice(0, MOST_NAMED);
  const more = providers.length - named.length;
  return more === 0 ? named.join(', ') : `${named.join(', ')} and ${more} more`;
}

function whenToTry({ noRoom, table }: Shortage): string | undefined {
  const busy = table?.busy ?? 0;
  if (busy > 0) return `${busy} providers fit when less runs there: give timeouts.queue some time.`;
  if (noRoom === 0) return undefined;
  const who = noRoom === 1 ? '1 provider has' : `${noRoom} providers have`;
  return `${who} no room just now: with time in timeouts.queue the job waits for it.`;
}
