/** What one thing that is wrong costs its sender. */
export interface FaultPrice {
  /** Out of its allowance: several times what looking at it took, so that it never pays to go on. */
  readonly workMs: number;
  /** Out of what it may do wrong. */
  readonly weight: number;
}

/** Nothing honest sends these. */
const NEVER_HONEST: FaultPrice = { workMs: 5, weight: 1 };
/** An honest peer sends a few of them at once, when it or this node has just come back. */
const SELDOM_HONEST: FaultPrice = { workMs: 4, weight: 0.5 };
/** An honest peer may have come too late, or know something that this node has forgotten. */
const SOMETIMES_HONEST: FaultPrice = { workMs: 2, weight: 0.25 };

/** By code. What is not in here is nobody's fault, or this node's own. */
export const FAULTS: ReadonlyMap<string, FaultPrice> = new Map([
  ['MALFORMED', NEVER_HONEST],
  ['OVERSIZED', NEVER_HONEST],
  ['FRAME_TOO_LARGE', NEVER_HONEST],
  ['FRAME_EMPTY', NEVER_HONEST],
  ['FRAME_LENGTH_INVALID', NEVER_HONEST],
  ['FRAME_UNFINISHED', NEVER_HONEST],
  ['STREAM_TOO_LONG', NEVER_HONEST],
  ['MUX_MALFORMED', NEVER_HONEST],
  ['MUX_WINDOW_EXCEEDED', NEVER_HONEST],
  ['WRONG_NETWORK', NEVER_HONEST],
  ['WRONG_SIGNER', NEVER_HONEST],
  ['BAD_SIGNATURE', NEVER_HONEST],
  ['OUT_OF_TURN', NEVER_HONEST],
  ['LOGS_DENIED', NEVER_HONEST],
  ['CONTRACT_DENIED', NEVER_HONEST],
  ['NO_CONTRACT', NEVER_HONEST],
  ['WRONG_JOB', NEVER_HONEST],
  ['INVALID_PRICE', NEVER_HONEST],
  ['OVER_ALLOWANCE', { workMs: 0, weight: 1 }],
  ['CONTENT_DENIED', SELDOM_HONEST],
  ['OVER_RATE', SOMETIMES_HONEST],
  ['RATE_LIMITED', SOMETIMES_HONEST],
  ['CHANNEL_UNUSED', { workMs: 2, weight: 0.5 }],
  ['CONTENT_UNAVAILABLE', SOMETIMES_HONEST],
  ['EXPIRED', SOMETIMES_HONEST],
  ['REPEATED', SELDOM_HONEST],
  ['UNKNOWN_REQUEST', SELDOM_HONEST],
  ['DUPLICATE_BID', SELDOM_HONEST],
  ['EXCLUDED_PROVIDER', SELDOM_HONEST],
  ['UNKNOWN_CONTRACT', SOMETIMES_HONEST],
  ['UNKNOWN_EXECUTION', { workMs: 0.2, weight: 0.05 }],
  ['FRAME_TIMEOUT', SOMETIMES_HONEST],
  ['UNREAD_TOO_MUCH', SOMETIMES_HONEST],
  // In its own name, when strangers together have sent too much: the third at once is one too many.
  ['SURPLUS', { workMs: 0, weight: 32 }],
]);

/** What was charged where it was found, below the protocols: it ends a channel, and nobody blames the peer a second time. */
export const TOLD_BELOW: ReadonlySet<string> = new Set([
  'OVER_ALLOWANCE',
  'FRAME_TOO_LARGE',
  'FRAME_EMPTY',
  'FRAME_LENGTH_INVALID',
  'FRAME_UNFINISHED',
  'UNREAD_TOO_MUCH',
  'STREAM_TOO_LONG',
  'MUX_MALFORMED',
  'MUX_WINDOW_EXCEEDED',
]);
