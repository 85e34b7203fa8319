import { type BackoffOptions, backoffMs } from './backoff.ts';
import type { Chance } from './chance.ts';
import { type Clock, sleep } from './clock.ts';
import { codeOf } from './coded-error.ts';

export interface RetryNeeds {
  readonly clock: Clock;
  readonly chance: Chance;
  /** Ends the waiting: the error of the last try is thrown then. */
  readonly signal?: AbortSignal;
}

/** Repeats `work`, with growing waits, for as long as it fails with one of `codes`; any other failure is thrown. */
export async function retryOn<T>(
  codes: readonly string[],
  backoff: BackoffOptions,
  needs: RetryNeeds,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const code = codeOf(error);
      if (code === undefined || !codes.includes(code) || needs.signal?.aborted === true) throw error;
      try {
        await sleep(needs.clock, backoffMs(backoff, attempt, needs.chance), needs.signal);
      } catch {
        throw error;
      }
    }
  }
}
