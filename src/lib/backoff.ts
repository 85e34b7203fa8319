import type { Chance } from './chance.ts';

export interface BackoffOptions {
  readonly firstMs: number;
  readonly longestMs: number;
  readonly factor: number;
}

/** Of a wait, what chance may take off. */
const JITTER = 1 / 2;

/**
 * The wait before try number `attempt` (1 = the first repeat): between half and the whole of what grows by `factor` up to
 * `longestMs`. Those who failed together do not come again together.
 */
export function backoffMs(options: BackoffOptions, attempt: number, chance: Chance): number {
  const exponent = Math.max(0, attempt - 1);
  const wholeMs = Math.min(options.longestMs, options.firstMs * options.factor ** exponent);
  return wholeMs * (1 - JITTER * chance());
}
