import type { NearestMiss, TableHints } from './explanation.ts';
import { durationText } from '../matching/field-text.ts';
import { isWithinReach, type MissedField } from './nearest-miss.ts';
import type { Search } from '../market/search.ts';

/** How a job waits for room (`timeouts.queue`), where it does. */
export interface JobQueue {
  readonly forMs: number;
  /** Not for providers that take no work, nor for such as are not there. */
  readonly onlyForRoom: boolean;
  /** The job has ended: it has waited as long as it may. */
  readonly isOver: boolean;
}

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
  /** Undefined for a job that does not wait. */
  readonly queue: JobQueue | undefined;
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
    codes.has('KEPT_SHARE')
      ? 'A part of what is free is kept for requesters that its provider has worked for (KEPT_SHARE): ask for less, or have a smaller job done there first.'
      : undefined,
    codes.has('RATE_LIMITED') ? `Try again later${orWait(shortage.queue)}.` : undefined,
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

function drainHint({ drained, queue }: Shortage): string | undefined {
  if (drained.length === 0) return undefined;
  const [are, owners] = drained.length === 1 ? ['is', 'its owner'] : ['are', 'their owners'];
  return `${namesOf(drained)} ${are} drained: ${owners} can run "bidmesh node undrain"${orWait(queue?.onlyForRoom === true ? undefined : queue)}.`;
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

/** What a job that waits, has waited or does not wait can do about something that ends by itself. */
function orWait(queue: JobQueue | undefined): string {
  if (queue === undefined) return ', or give timeouts.queue some time';
  const time = durationText(queue.forMs);
  return queue.isOver
    ? `, or give timeouts.queue more time than ${time}`
    : `; the job waits by itself, for ${time} at most (timeouts.queue)`;
}

function whenToTry({ noRoom, table, queue }: Shortage): string | undefined {
  const busy = table?.busy ?? 0;
  if (busy === 0 && noRoom === 0) return undefined;
  const counted = busy > 0 ? busy : noRoom;
  const fit = counted === 1 ? '1 provider fits' : `${counted} providers fit`;
  const have = counted === 1 ? '1 provider has' : `${counted} providers have`;
  const who = busy > 0 ? `${fit} when less runs there` : `${have} no room just now`;
  if (queue === undefined)
    return busy > 0
      ? `${who}: give timeouts.queue some time.`
      : `${who}: with time in timeouts.queue the job waits for it.`;
  const time = durationText(queue.forMs);
  return queue.isOver
    ? `${who}: give timeouts.queue more time than ${time}.`
    : `${who}: the job waits for that, for ${time} at most (timeouts.queue).`;
}
