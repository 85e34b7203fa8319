import type { SearchCloseReason } from '../../domain/market/search.ts';
import type { Patience, StrangerStanding } from '../../domain/trust/stranger-turnout.ts';
import type { IndirectProviders } from '../ports.ts';

export interface WindowState {
  readonly openedAtMs: number;
  readonly timeoutMs: number;
  readonly wantedBids: number;
  readonly bids: number;
  /** How many can make a bid at all, where that is known: more need not be waited for. */
  readonly knownFits?: number;
  /** When the newest bid came; undefined before the first. */
  readonly lastBidAtMs: number | undefined;
  /** Everybody who is known to have had the request and is to answer it, this node included. */
  readonly audience: ReadonlySet<string>;
  /** Who has it as well and is not to answer it: the request excludes them. */
  readonly leftOut: ReadonlySet<string>;
  /** Who hears it through others, where it goes to everybody. */
  readonly indirect?: IndirectProviders;
  readonly answered: { has(peer: string): boolean };
  /** For whom of the audience it is worth waiting, and how long; left out: for everybody. */
  readonly patience?: (peer: string) => Patience;
  /** What is known of those who have it and are known by their adverts alone; left out: they are counted on. */
  readonly strangers?: StrangerStanding;
  /** One of the bids is by a provider that has kept a contract with this node. */
  readonly knownBid?: boolean;
  readonly self: string;
  /** On small networks silence means "not yet", so waiting for everybody is worth it. */
  readonly everyoneAnswers: boolean;
  /** Those who were asked were chosen: nobody joins later, and who cannot be reached has left the audience. */
  readonly chosen: boolean;
}

export interface WindowOptions {
  readonly quietMs: number;
  readonly loneGraceMs: number;
  readonly indirectMs: number;
  readonly newcomerMs: number;
  /** On a large network those who were asked and have something to offer have said so by then: a bid is enough. */
  readonly partialWindowMs: number;
}

export type WindowVerdict =
  | { readonly kind: 'close'; readonly reason: SearchCloseReason }
  /** Look again at this monotonic time, or when something comes in. */
  | { readonly kind: 'wait'; readonly untilMs: number };

/** The adaptive bid window: enough bids and a short quiet, or everybody answered, or the timeout, whichever is first. */
export function judgeWindow(state: WindowState, options: WindowOptions, nowMs: number): WindowVerdict {
  const deadlineMs = state.openedAtMs + state.timeoutMs;
  if (nowMs >= deadlineMs) return { kind: 'close', reason: 'timeout' };

  let untilMs = deadlineMs;
  if (
    state.bids >= Math.min(state.wantedBids, state.knownFits ?? Number.POSITIVE_INFINITY) &&
    state.lastBidAtMs !== undefined
  ) {
    const quietAtMs = state.lastBidAtMs + options.quietMs;
    if (nowMs >= quietAtMs) return { kind: 'close', reason: 'enough' };
    untilMs = Math.min(untilMs, quietAtMs);
  }
  if (!state.everyoneAnswers && state.bids > 0) {
    const fewAtMs = state.openedAtMs + options.partialWindowMs;
    if (nowMs >= fewAtMs) return { kind: 'close', reason: 'enough' };
    untilMs = Math.min(untilMs, fewAtMs);
  }
  const heard = state.audience.size + state.leftOut.size;
  // Where everybody answers, an audience of nobody is one that has yet to connect.
  const isAudienceKnown = state.chosen || heard > 0 || !state.everyoneAnswers;
  const answeredAtMs = isAudienceKnown ? audienceInAtMs(state, options) : undefined;
  if (answeredAtMs !== undefined && answeredAtMs > nowMs) untilMs = Math.min(untilMs, answeredAtMs);
  const everybodyIsIn = answeredAtMs !== undefined && nowMs >= answeredAtMs;
  if (everybodyIsIn && !state.everyoneAnswers) {
    const closing = withoutStrangers(state, options);
    if (closing !== undefined && nowMs >= closing.atMs) return { kind: 'close', reason: closing.reason };
    untilMs = Math.min(untilMs, closing?.atMs ?? untilMs);
  }
  if (everybodyIsIn && state.everyoneAnswers) {
    const alone =
      !state.chosen && heard === 1 && (state.audience.has(state.self) || state.leftOut.has(state.self));
    const waitMs = Math.max(alone ? options.loneGraceMs : 0, indirectWaitMs(state, options, alone));
    const closeAtMs = Math.max(nowMs, state.openedAtMs + waitMs);
    if (nowMs >= closeAtMs) return { kind: 'close', reason: 'everyone-answered' };
    untilMs = Math.min(untilMs, closeAtMs);
  }
  return { kind: 'wait', untilMs };
}

/**
 * When everybody who is worth waiting for has answered, with nothing more coming in; undefined where somebody who answers
 * has not. Once there is a bid, who never answered before is waited for no longer than others need to connect (less where
 * somebody known has bid, and none where another search waits for it then), and who was silent before not at all.
 */
function audienceInAtMs(
  { audience, answered, patience, bids, knownBid, openedAtMs }: WindowState,
  { indirectMs, newcomerMs }: WindowOptions,
): number | undefined {
  let atMs = openedAtMs;
  for (const peer of audience) {
    if (answered.has(peer)) continue;
    const patient = patience?.(peer) ?? 'full';
    if (patient === 'full' || (patient !== 'none' && bids === 0)) return undefined;
    if (bids > 0 && (patient === 'none' || (patient === 'brief-elsewhere' && knownBid === true))) continue;
    const longestMs = patient === 'brief' && knownBid === true ? newcomerMs : indirectMs;
    atMs = Math.max(atMs, openedAtMs + longestMs);
  }
  return atMs;
}

/**
 * When a large network need not be waited for: adverts alone, which anybody can make up, hold no job up once somebody
 * has bid; and once it has shown that nobody is behind them, they do so for a moment only. A node that knows nobody yet
 * gives those of whom it knows nothing that moment as well.
 */
function withoutStrangers(
  { strangers, bids, knownBid, openedAtMs }: WindowState,
  { indirectMs }: WindowOptions,
): { readonly atMs: number; readonly reason: SearchCloseReason } | undefined {
  if (strangers === undefined || strangers === 'proven') return undefined;
  const isEnough = strangers === 'silent' || knownBid !== false;
  if (bids > 0) return { atMs: openedAtMs + (isEnough ? 0 : indirectMs), reason: 'enough' };
  return strangers === 'silent' ? { atMs: openedAtMs + indirectMs, reason: 'everyone-answered' } : undefined;
}

/**
 * How long what those who hear the request through others may have to offer is waited for; who is alone reaches nobody
 * by others. Where somebody known has bid, those who never answered have no more than a moment.
 */
function indirectWaitMs(
  { indirect, bids, wantedBids, knownBid, answered, patience }: WindowState,
  { indirectMs, newcomerMs }: WindowOptions,
  alone: boolean,
): number {
  if (indirect === undefined) return 0;
  if (bids === 0 && indirect.mayBeMore && !alone) return indirectMs;
  const missing = indirect.fitting.filter((peer) => !answered.has(peer));
  if (bids >= wantedBids || missing.length === 0) return 0;
  if (knownBid !== true) return indirectMs;
  const patiences = new Set(missing.map((peer) => patience?.(peer) ?? 'full'));
  if (patiences.has('full')) return indirectMs;
  return patiences.has('brief') ? newcomerMs : 0;
}
