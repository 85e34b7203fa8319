import type { Search } from '../market/search.ts';
import type { NearestMiss, TableHints } from './explanation.ts';
import { isWithinReach, type MissedField } from './nearest-miss.ts';
import { type BesideField, type JobQueue, named, type Suggestion, type Suggestions } from './suggestion.ts';

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

type Hints = readonly Suggestion[];

const NONE: Hints = [];

/** The smallest changes that would have helped. */
export function suggestionsFor(shortage: Shortage): readonly Suggestion[] {
  const { search, codes, silent, fittingSilent, nearest, table } = shortage;
  return [
    ...(fittingSilent.length === 0 ? NONE : [hint('check-those-silent', named(fittingSilent))]),
    ...(nearest === undefined ? NONE : [askLess(nearest, besideOf(nearest, table))]),
    ...whenToTry(shortage),
    ...priceHint(shortage),
    ...excludedHint(table?.excluded ?? []),
    ...leaveHint(shortage),
    ...drainHint(shortage),
    ...(codes.has('KEPT_SHARE') ? [hint('be-known-first', {})] : NONE),
    ...(codes.has('RATE_LIMITED') ? [hint('try-later', waiting(shortage.queue))] : NONE),
    ...(silent.length === 0 ? NONE : [hint('check-preferred', named(silent))]),
    ...(search !== undefined && isAlone(search, table) ? [hint('start-a-provider', {})] : NONE),
  ];
}

function hint<Code extends keyof Suggestions>(
  code: Code,
  data: Suggestions[Code],
): { readonly code: Code; readonly data: Suggestions[Code] } {
  return { code, data };
}

/** The texts of what is asked and of what is there say all that a program needs, too. */
function askLess(
  { field, required, available, providers }: NearestMiss,
  beside: { readonly beside?: readonly BesideField[] },
): Suggestion {
  if (field === 'budget.currency') return hint('pay-in-their-currency', { required, available, ...beside });
  if (field === 'budget.maxPrice') return hint('pay-more', { required, available, ...beside });
  return isWithinReach({ field, best: available })
    ? hint('ask-less', { field, required, available, providers, ...beside })
    : hint('ask-for-none', { field, required, ...beside });
}

/** A no names one thing; the table may know of more. */
function besideOf(
  { field, required }: NearestMiss,
  table: TableHints | undefined,
): { readonly beside?: readonly BesideField[] } {
  const misses = table?.misses ?? [];
  const known = misses.find((miss) => miss.field === field && miss.required === required);
  if (known?.alone !== 0) return {};
  const beside = (known.beside ?? []).map((name): BesideField => {
    const other = misses.find((miss) => miss.field === name);
    return other === undefined || !isWithinReach(other)
      ? { field: name }
      : { field: name, required: other.required, available: other.best };
  });
  return { beside };
}

/** The price that would do, where another thing came nearer. */
function priceHint({ codes, misses, nearest }: Shortage): Hints {
  if (nearest?.field.startsWith('budget.') === true) return NONE;
  if (!codes.has('PRICE') && !codes.has('OVER_BUDGET')) return NONE;
  const miss = misses.find(({ field }) => field.startsWith('budget.'));
  if (miss === undefined) return [hint('raise-budget', {})];
  const { field, required, best, bestCount } = miss;
  return [askLess({ field, required, available: best, providers: bestCount }, {})];
}

function excludedHint(excluded: readonly string[]): Hints {
  return excluded.length === 0 ? NONE : [hint('take-off-exclusion', named(excluded))];
}

function leaveHint({ notServedBy, self }: Shortage): Hints {
  if (notServedBy.length === 0) return NONE;
  const who = self === undefined ? {} : { self };
  return [hint('ask-to-be-let-in', { ...named(notServedBy), ...who })];
}

function drainHint({ drained, queue }: Shortage): Hints {
  if (drained.length === 0) return NONE;
  return [
    hint('undrain', {
      ...named(drained),
      ...waiting(queue?.onlyForRoom === true ? undefined : queue),
    }),
  ];
}

function isAlone({ seenAtLeast }: Search, table: TableHints | undefined): boolean {
  return seenAtLeast === 0 && (table?.known ?? 0) === 0 && (table?.excluded ?? []).length === 0;
}

function waiting(queue: JobQueue | undefined): Suggestions['try-later'] {
  return queue === undefined ? {} : { queue: { forMs: queue.forMs, isOver: queue.isOver } };
}

function whenToTry({ noRoom, table, queue }: Shortage): Hints {
  const busy = table?.busy ?? 0;
  if (busy === 0 && noRoom === 0) return NONE;
  return [hint('wait-for-room', { ...waiting(queue), ...(busy > 0 ? { busy } : { noRoom }) })];
}
