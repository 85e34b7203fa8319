import type { SearchCloseReason } from '../../domain/search.ts';
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
  if (
    state.everyoneAnswers &&
    (state.chosen || heard > 0) &&
    [...state.audience].every((peer) => state.answered.has(peer))
  ) {
    const alone =
      !state.chosen && heard === 1 && (state.audience.has(state.self) || state.leftOut.has(state.self));
    const waitMs = Math.max(
      alone ? options.loneGraceMs : 0,
      isWorthWaiting(state, alone) ? options.indirectMs : 0,
    );
    const closeAtMs = Math.max(nowMs, state.openedAtMs + waitMs);
    if (nowMs >= closeAtMs) return { kind: 'close', reason: 'everyone-answered' };
    untilMs = Math.min(untilMs, closeAtMs);
  }
  return { kind: 'wait', untilMs };
}

/** What those who hear the request through others may have to offer is missing; who is alone reaches nobody by others. */
function isWorthWaiting({ indirect, bids, wantedBids, answered }: WindowState, alone: boolean): boolean {
  if (indirect === undefined) return false;
  if (bids === 0 && indirect.mayBeMore && !alone) return true;
  return bids < wantedBids && indirect.fitting.some((peer) => !answered.has(peer));
}
