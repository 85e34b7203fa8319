import {
  type AdvertQuery,
  betterFirst,
  type CandidateMerit,
  cannotFit,
  compareAdvert,
  fitsWhenIdle,
  meritOf,
} from '../domain/market/advert-matching.ts';
import { answerFit, type SeenFits } from '../domain/ranking/answering.ts';
import { fitAfter } from '../domain/matching/bid-fit.ts';
import type { CapabilityComparison } from '../domain/matching/comparison.ts';
import { type MissedField, tallyMisses } from '../domain/explain/nearest-miss.ts';
import { bookedResources } from '../domain/matching/runtime-memory.ts';
import type { AskableProvider } from './peer-table.ts';

/** A provider that could be asked directly. */
export interface AdvertCandidate {
  readonly peer: string;
  readonly providerRecord: Uint8Array;
  /** By its newest advert. Not `hardOk` when it would only fit with less running there: the advert may be old. */
  readonly comparison: CapabilityComparison;
}

/** What the table says about why requirements are met or not. */
export interface TableExplanation {
  /** Providers in the table, excluded ones left out. */
  readonly known: number;
  /** Of those, how many were compared. The counts below are of these. */
  readonly compared: number;
  readonly fitting: number;
  /** Those that fit, by name. */
  readonly fittingPeers?: readonly string[];
  /** Fit only when less runs there. */
  readonly busy: number;
  /** What stood in the way of those that do not fit, the field that would win most providers first. */
  readonly misses: readonly MissedField[];
  /** The one field to ask less of: set when there are providers on which nothing else is in the way. */
  readonly nearest?: MissedField;
  /** Excluded providers that would fit; not among the counts. */
  readonly excluded?: readonly string[];
}

/** The best of so many that fit are as good as the best of all, whose adverts are older. */
const ENOUGH_FITTING = 128;

/** Of those asked directly so many are providers that this node has been in touch with, where there are so many that fit. */
const SEEN_PART = 1 / 2;

/** Providers by their adverts: those that this node has been in touch with, and the others. */
export interface JudgedProviders {
  readonly seen: readonly AskableProvider[];
  readonly strangers: readonly AskableProvider[];
}

interface Found {
  readonly row: AskableProvider;
  readonly comparison: CapabilityComparison;
  readonly merit: CandidateMerit;
}

/**
 * The rows that answer best to a query, by their adverts; at most `compared` of each kind that could fit are looked at.
 * Whoever makes adverts up makes up good ones: half of the places are kept for those that this node has been in touch with.
 */
export function candidatesOf(
  { seen, strangers }: JudgedProviders,
  query: AdvertQuery,
  { limit, compared }: { readonly limit: number; readonly compared: number },
): readonly AdvertCandidate[] {
  const bounds = { compared, enough: Math.max(ENOUGH_FITTING, limit) };
  const known = foundIn(seen, query, bounds);
  const kept = known.filter(({ merit }) => merit.fits).slice(0, Math.ceil(limit * SEEN_PART));
  const isKept = new Set(kept);
  const rest = [...known.filter((found) => !isKept.has(found)), ...foundIn(strangers, query, bounds)];
  return [...kept, ...rest.toSorted(bestFirst).slice(0, limit - kept.length)]
    .toSorted(bestFirst)
    .map(({ row, comparison }) => ({ peer: row.peer, providerRecord: row.providerRecord, comparison }));
}

function bestFirst(a: Found, b: Found): number {
  return betterFirst(a.merit, b.merit) || a.row.hash - b.row.hash;
}

function foundIn(
  rows: readonly AskableProvider[],
  query: AdvertQuery,
  bounds: { readonly enough: number; readonly compared: number },
): readonly Found[] {
  const found: Found[] = [];
  let compared = 0;
  let fitting = 0;
  for (const row of rows) {
    if (cannotFit(query, row)) continue;
    if (compared >= bounds.compared || fitting >= bounds.enough) break;
    compared += 1;
    const comparison = compareAdvert(query, row);
    if (comparison.hardOk) fitting += 1;
    else if (!fitsWhenIdle(query, row)) continue;
    found.push({ row, comparison, merit: meritOf(query, row, comparison) });
  }
  return found.sort(bestFirst);
}

/** Of those that this node has been in touch with, whom to ask by name: the best known of those that fit first. */
export function acquaintedOf(
  rows: readonly AskableProvider[],
  touchOf: (peer: string) => number,
  query: AdvertQuery,
  bounds: { readonly limit: number; readonly compared: number },
): readonly string[] {
  return foundIn(rows, query, { compared: bounds.compared, enough: bounds.compared })
    .map((found) => ({ found, touch: touchOf(found.row.peer) }))
    .sort(
      (a, b) =>
        Number(b.found.merit.fits) - Number(a.found.merit.fits) ||
        b.touch - a.touch ||
        bestFirst(a.found, b.found),
    )
    .slice(0, bounds.limit)
    .map(({ found }) => found.row.peer);
}

/** How well a job would sit on those of the providers that could take it. */
export function fitsOf(
  { seen, strangers }: JudgedProviders,
  query: AdvertQuery,
  bounds: { readonly compared: number },
): SeenFits {
  const known = seen.slice(0, bounds.compared);
  const others = strangers.slice(0, bounds.compared - known.length);
  const ofOthers = fitsIn(others, query);
  return {
    compared: known.length + others.length,
    fits: [...fitsIn(known, query), ...ofOthers],
    strangers: { compared: others.length, fits: ofOthers },
  };
}

function fitsIn(rows: readonly AskableProvider[], query: AdvertQuery): readonly number[] {
  const { resources } = query.requirements;
  const gpusWanted = resources.gpus.reduce((sum, group) => sum + group.count, 0);
  return rows.flatMap((row) => {
    if (cannotFit(query, row)) return [];
    const { hardOk, softScore } = compareAdvert(query, row);
    const booked = bookedResources(query.requirements, row.capability.traits);
    const fit = hardOk ? fitAfter(booked, row.capability) : undefined;
    return fit === undefined ? [] : [answerFit(softScore, fit, gpusWanted)];
  });
}

export function explanationOf(
  rows: readonly AskableProvider[],
  query: AdvertQuery,
  bounds: { readonly compared: number; readonly excluded: readonly string[] },
): TableExplanation {
  const excluded = new Set(bounds.excluded);
  const known = rows.filter(({ peer }) => !excluded.has(peer));
  const looked = known.slice(0, bounds.compared);
  const missing: CapabilityComparison[] = [];
  const fitting: string[] = [];
  let busy = 0;
  for (const row of looked) {
    const comparison = compareAdvert(query, row);
    if (comparison.hardOk) {
      fitting.push(row.peer);
      continue;
    }
    missing.push(comparison);
    if (fitsWhenIdle(query, row)) busy += 1;
  }
  const misses = tallyMisses(missing);
  const [first] = misses;
  const fittingExcluded = rows
    .filter(({ peer }) => excluded.has(peer))
    .slice(0, bounds.compared)
    .filter((row) => compareAdvert(query, row).hardOk);
  return {
    known: known.length,
    compared: looked.length,
    fitting: fitting.length,
    ...(fitting.length === 0 ? {} : { fittingPeers: fitting }),
    busy,
    misses,
    ...(first !== undefined && first.alone > 0 ? { nearest: first } : {}),
    ...(fittingExcluded.length === 0 ? {} : { excluded: fittingExcluded.map(({ peer }) => peer) }),
  };
}
