import type { NearestMiss, TableHints } from './explanation.ts';
import { isWithinReach, type MissedField } from './nearest-miss.ts';
import type { Search } from './search.ts';

/** What is known of a job that nobody has taken. */
export interface Shortage {
  readonly search: Search | undefined;
  /** Of the declines and of the bids that were refused. */
  readonly codes: ReadonlySet<string>;
  /** What the declines name, nearest first. */
  readonly misses: readonly MissedField[];
  /** Providers whose owners do not let this node in, and this node. */
  readonly notServedBy: readonly string[];
  readonly self: string | undefined;
  /** Providers that take no new work. */
  readonly drained: readonly string[];
  /** Providers that fit and have no room just now. */
  readonly noRoom: number;
  /** Known providers that would fit and said nothing. */
  readonly fittingSilent: readonly string[];
  /** Preferred providers that were looked for and said nothing. */
  readonly silent: readonly string[];
  readonly nearest: NearestMiss | undefined;
  readonly table: TableHints | undefined;
}

const MOST_NAMED = 3;

/** The smallest changes that would have helped, as sentences. */
export function suggestionsFor(shortage: Shortage): readonly string[] {
  const { search, codes, silent, nearest, table } = shortage;
  const sentences = [
    silentHint(shortage),
    nearest === undefined ? undefined : askLess(nearest) + moreInTheWay(nearest, table),
    whenToTry(shortage),
    priceHint(shortage),
    excludedHint(table?.excluded ?? []),
    leaveHint(shortage),
    drainHint(shortage),
    codes.has('RATE_LIMITED') ? 'Try again later, or give timeouts.queue some time.' : undefined,
    silent.length === 0
      ? undefined
      : `preferredProviders: no answer from ${namesOf(silent)}. Check the ids, and that those nodes run, offer something and can be reached.`,
    search !== undefined && isAlone(search, table)
      ? 'No provider was reached: start one with "bidmesh start", or join a network with --bootstrap.'
      : undefined,
  ];
  return sentences.filter((sentence) => sentence !== undefined);
}

function silentHint({ fittingSilent }: Shortage): string | undefined {
  if (fittingSilent.length === 0) return undefined;
  const check = fittingSilent.length === 1 ? 'it runs' : 'they run';
  return `${countOf(fittingSilent.length, 'known provider')} would fit but did not answer: ${namesOf(fittingSilent)}. Check that ${check} and can be reached.`;
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function askLess({ field, required, available, providers }: NearestMiss): string {
  if (field === 'budget.currency') return `${field}: ${required} asked, providers ask ${available}.`;
  if (field === 'budget.maxPrice')
    return `${field}: at least ${available}, or leave the budget out; ${required} asked.`;
  return isWithinReach({ field, best: available })
    ? `${field}: ${required} asked, best seen ${available} on ${countOf(providers, 'provider')}.`
    : `${field}: ${required} asked, and no provider that was seen has any.`;
}

/** A no names one thing; the table may know of more. */
function moreInTheWay({ field, required }: NearestMiss, table: TableHints | undefined): string {
  const misses = table?.misses ?? [];
  const known = misses.find((miss) => miss.field === field && miss.required === required);
  if (known?.alone !== 0) return '';
  const beside = (known.beside ?? []).map((name) => {
    const other = misses.find((miss) => miss.field === name);
    return other === undefined || !isWithinReach(other)
      ? name
      : `${name} (${other.required} asked, best seen ${other.best})`;
  });
  return beside.length === 0
    ? ' Not the only thing in the way there.'
    : ` In the way there as well: ${namesOf(beside)}.`;
}

/** The price that would do, where another thing came nearer. */
function priceHint({ codes, misses, nearest }: Shortage): string | undefined {
  if (nearest?.field.startsWith('budget.') === true) return undefined;
  if (!codes.has('PRICE') && !codes.has('OVER_BUDGET')) return undefined;
  const miss = misses.find(({ field }) => field.startsWith('budget.'));
  if (miss === undefined) return 'budget.maxPrice: raise it, or leave the budget out.';
  const { field, required, best, bestCount } = miss;
  return askLess({ field, required, available: best, providers: bestCount });
}

function excludedHint(excluded: readonly string[]): string | undefined {
  if (excluded.length === 0) return undefined;
  const one = excluded.length === 1;
  const who = `${countOf(excluded.length, 'known provider')} that would fit ${one ? 'is' : 'are'} excluded by the job`;
  return `excludedProviders: ${who}. Take ${one ? '' : 'one of '}${namesOf(excluded)} off.`;
}

function leaveHint({ notServedBy, self }: Shortage): string | undefined {
  if (notServedBy.length === 0) return undefined;
  const owners = notServedBy.length === 1 ? 'the owner' : 'the owners';
  const id = self === undefined ? 'your peer id' : `your peer id ${self}`;
  return `Ask ${owners} of ${namesOf(notServedBy)} to let your node in: add ${id} to provider.allow, or take it off provider.deny.`;
}

function drainHint({ drained }: Shortage): string | undefined {
  if (drained.length === 0) return undefined;
  const [are, owners] = drained.length === 1 ? ['is', 'its owner'] : ['are', 'their owners'];
  return `${namesOf(drained)} ${are} drained: ${owners} can run "bidmesh node undrain", or give timeouts.queue some time.`;
}

function isAlone({ seenAtLeast }: Search, table: TableHints | undefined): boolean {
  return seenAtLeast === 0 && (table?.known ?? 0) === 0 && (table?.excluded ?? []).length === 0;
}

/** Providers by their ids, the first few of many. */
export function namesOf(providers: readonly string[]): string {
  const named = providers.slice(0, MOST_NAMED);
  const more = providers.length - named.length;
  return more === 0 ? named.join(', ') : `${named.join(', ')} and ${more} more`;
}

function whenToTry({ noRoom, table }: Shortage): string | undefined {
  const busy = table?.busy ?? 0;
  if (busy > 0) {
    const who = busy === 1 ? '1 provider fits' : `${busy} providers fit`;
    return `${who} when less runs there: give timeouts.queue some time.`;
  }
  if (noRoom === 0) return undefined;
  const who = noRoom === 1 ? '1 provider has' : `${noRoom} providers have`;
  return `${who} no room just now: with time in timeouts.queue the job waits for it.`;
}
