import { type Decline, isNoRoom } from '../market/bid.ts';
import type { CapabilityComparison } from '../matching/comparison.ts';
import { type Execution, isCommitted, isGone, wasLocked } from '../market/execution.ts';
import type { Price } from '../units/money.ts';
import { isWithinReach, type MissedField, tallyMisses } from './nearest-miss.ts';
import type { JobQueue, Suggestion } from './suggestion.ts';
import { suggestionsFor } from './suggestions.ts';
import { type Winner, winnerOf } from './winner.ts';
import type { BidRefusalCode } from '../market/passed-over.ts';
import type { EligibleComputeProviderData, Rank, Search } from '../market/search.ts';

/** A decline as it is counted: how many providers gave this reason. */
export interface DeclineCount {
  readonly code: string;
  readonly field?: string;
  readonly count: number;
}

/** The one thing to ask less of. */
export interface NearestMiss {
  readonly field: string;
  readonly required: string;
  /** The best that was seen of it, and on how many providers. */
  readonly available: string;
  readonly providers: number;
}

export interface ExplainedBid {
  readonly provider: string;
  readonly score: number;
  readonly ranks: readonly Rank[];
  readonly price: Price;
  readonly locked: boolean;
}

/** Why a job is where it is: for people, and for programs that want to ask for less. */
export interface Explanation {
  /** A contract stands, or its work was completed. */
  readonly placed: boolean;
  /** Whom the newest contract that stands is with; where none does, the newest of all. */
  readonly winner?: Winner;
  /** Every bid of the newest round that had any, best first. */
  readonly candidates: readonly ExplainedBid[];
  /** Providers that had the request, as far as this node knows: a lower bound. */
  readonly seenAtLeast: number;
  readonly declines: readonly DeclineCount[];
  readonly nearest?: NearestMiss;
  /** The smallest changes that would have helped. */
  readonly suggestions: readonly Suggestion[];
}

/** What the peer table adds: providers that were never asked say it by their adverts. */
export interface TableHints {
  readonly known: number;
  readonly fitting: number;
  /** Those that fit, by name. */
  readonly fittingPeers?: readonly string[];
  readonly busy: number;
  readonly nearest?: MissedField;
  /** What stands in the way of those that do not fit. */
  readonly misses?: readonly MissedField[];
  /** Providers that the job excludes and that would fit. */
  readonly excluded?: readonly string[];
}

/** Whose job it is, and whom it prefers. */
export interface Asker {
  readonly self?: string;
  readonly preferred?: readonly string[];
  /** So many providers are asked by its rounds at most, of those that fit; all of them where it is not given. */
  readonly mostAsked?: number;
  /** How the job waits; a job that does not has none. */
  readonly queue?: JobQueue;
}

/**
 * Puts the rounds of a job, its executions and the peer table together. Pure; of each provider the newest word counts,
 * and of the providers that the job prefers those are named that said nothing.
 */
export function explain(
  searches: readonly Search[],
  executions: readonly Execution[],
  table: TableHints | undefined,
  asker: Asker = {},
): Explanation {
  const { self, preferred = [] } = asker;
  const newest = searches.at(-1);
  const withBids = searches.findLast((search) => search.index.entries.length > 0);
  const entries = withBids?.index.entries ?? [];
  const placedOn = executions.findLast(isPlaced);
  const last = placedOn ?? executions.findLast(({ observed }) => 'contractId' in observed);
  const winner = last === undefined ? undefined : winnerOf(last, searches);
  const wanting = placedOn === undefined && isWanting(last, newest);
  const answers = newestAnswers(searches);
  const declines = countDeclines(answers);
  const nearest = wanting ? nearestOf(answers, table) : undefined;
  return {
    placed: placedOn !== undefined,
    ...(winner === undefined ? {} : { winner }),
    candidates: entries.map((entry) => explainBid(entry, executions)),
    seenAtLeast: Math.max(0, ...searches.map((search) => search.seenAtLeast)),
    declines,
    ...(nearest === undefined ? {} : { nearest }),
    suggestions: wanting
      ? suggestionsFor({
          search: newest,
          codes: new Set(declines.map(({ code }) => code)),
          misses: tallyMisses(answers.declines.map(missOf)),
          noRoom: answers.declines.filter(isNoRoom).length,
          notServedBy: answers.notServedBy,
          drained: answers.drained,
          self,
          fittingSilent: fittingSilent(newest, answers, table, asker),
          silent: newest === undefined ? [] : preferred.filter((provider) => !answers.from.has(provider)),
          nearest,
          table,
          queue: asker.queue,
        })
      : [],
  };
}

/** Those that could have taken the job by their adverts, where all of them were asked and had the time to answer. */
function fittingSilent(
  newest: Search | undefined,
  { from }: Answers,
  table: TableHints | undefined,
  { self, preferred = [], mostAsked = Number.POSITIVE_INFINITY }: Asker,
): readonly string[] {
  const fitting = table?.fittingPeers ?? [];
  if (newest?.state !== 'closed' || newest.partial === true || fitting.length > mostAsked) return [];
  if (newest.closeReason !== 'timeout' && newest.closeReason !== 'everyone-answered') return [];
  const accounted = new Set([...from, ...preferred, self]);
  return fitting.filter((peer) => !accounted.has(peer));
}

function explainBid(
  { provider, score, ranks, bid }: EligibleComputeProviderData,
  executions: readonly Execution[],
): ExplainedBid {
  const { price, lock, bidId } = bid.value;
  const locked = lock !== undefined || executions.some((one) => one.bidId === bidId && wasLocked(one));
  return { provider, score, ranks, price, locked };
}

function isPlaced(execution: Execution): boolean {
  return isCommitted(execution) || execution.observed.state === 'Completed';
}

/** Whether a job without a contract looks for one: work that ended in another way is not helped by asking for less. */
function isWanting(last: Execution | undefined, newest: Search | undefined): boolean {
  if (last === undefined || last.requestId !== newest?.requestId) return true;
  return isGone(last);
}

interface Answers {
  readonly from: ReadonlySet<string>;
  readonly declines: readonly Decline[];
  readonly refused: readonly BidRefusalCode[];
  /** Providers whose owners do not let this node in. */
  readonly notServedBy: readonly string[];
  /** Providers that take no new work. */
  readonly drained: readonly string[];
}

type ProviderAnswers = Pick<Answers, 'declines' | 'refused'>;

/** What each provider said last, over all rounds: who said no for good is not asked again, and still counts. */
function newestAnswers(searches: readonly Search[]): Answers {
  const answers = new Map<string, ProviderAnswers>();
  for (const { index } of searches) {
    const ofRound = new Map<string, ProviderAnswers>();
    for (const { provider } of index.entries) ofRound.set(provider, { declines: [], refused: [] });
    for (const { provider, decline } of index.declines) {
      ofRound.set(provider, { declines: [decline], refused: [] });
    }
    for (const { provider, code } of index.refused) {
      const { declines = [], refused = [] } = ofRound.get(provider) ?? {};
      ofRound.set(provider, { declines, refused: [...refused, code] });
    }
    for (const [provider, said] of ofRound) answers.set(provider, said);
  }
  const all = [...answers.values()];
  const whoSaid = (isMeant: (decline: Decline) => boolean): readonly string[] =>
    [...answers].flatMap(([provider, { declines }]) => (declines.some(isMeant) ? [provider] : []));
  return {
    from: new Set(answers.keys()),
    declines: all.flatMap(({ declines }) => declines),
    refused: all.flatMap(({ refused }) => refused),
    notServedBy: whoSaid(isNotServed),
    drained: whoSaid(({ code }) => code === 'DRAINING'),
  };
}

function isNotServed({ code, field }: Decline): boolean {
  return code === 'POLICY' && field === 'requester';
}

function countDeclines({ declines, refused }: Answers): readonly DeclineCount[] {
  const counts = new Map<string, { code: string; field?: string; count: number }>();
  const add = (code: string, field: string | undefined): void => {
    const key = `${code}\n${field ?? ''}`;
    const known = counts.get(key) ?? { code, ...(field === undefined ? {} : { field }), count: 0 };
    known.count += 1;
    counts.set(key, known);
  };
  for (const { code, field } of declines) add(code, field);
  for (const code of refused) add(code, undefined);
  return [...counts.values()].toSorted((a, b) => b.count - a.count || (a.code < b.code ? -1 : 1));
}

/**
 * By the table where it knows of one, since it compares every field; else by the declines that came. What nobody has
 * anything of is named only where nothing else is known to help.
 */
function nearestOf({ declines }: Answers, table: TableHints | undefined): NearestMiss | undefined {
  const [ofDeclines] = tallyMisses(declines.map(missOf));
  const waitingHelps = (table?.busy ?? 0) > 0 || declines.some(isNoRoom);
  const inTheWay = waitingHelps || (table?.fitting ?? 0) > 0 ? undefined : table?.misses?.[0];
  const known = [table?.nearest, ofDeclines && bestOfBoth(ofDeclines, table), inTheWay].filter(
    (miss) => miss !== undefined,
  );
  const outOfReach = waitingHelps ? undefined : known.find(({ field }) => field !== 'node.draining');
  const miss = known.find(isWithinReach) ?? outOfReach;
  return miss === undefined
    ? undefined
    : { field: miss.field, required: miss.required, available: miss.best, providers: miss.bestCount };
}

/** The table may know of more providers than those that said no. */
function bestOfBoth(miss: MissedField, table: TableHints | undefined): MissedField {
  const { field, required, count } = miss;
  const known = table?.misses?.find((other) => other.field === field && other.required === required);
  return known !== undefined && known.alone === 0 && known.count >= count ? known : miss;
}

/** A decline names the first field that stood in the way. */
function missOf({ field, required, available }: Decline): Pick<CapabilityComparison, 'fields'> {
  if (field === undefined || required === undefined || available === undefined) return { fields: [] };
  return { fields: [{ field, required, available, result: 'Worse', hard: true }] };
}
