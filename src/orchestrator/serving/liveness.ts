import type { Clock } from '../../lib/clock.ts';

/** When each committed execution was last on its provider's serving list. Kept in memory: a restart starts afresh. */
export class Liveness {
  readonly #clock: Clock;
  /** In lived time: setting the machine's time makes nobody silent. */
  readonly #seenAtMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  seen(executionId: string): void {
    this.#seenAtMs.set(executionId, this.#clock.livedMs());
  }

  /** Counts as seen until `graceMs` from now: for providers that do not know yet that this node is back. */
  expect(executionId: string, graceMs: number): void {
    this.#seenAtMs.set(executionId, this.#clock.livedMs() + graceMs);
  }

  /** `stored` where nothing was heard since. */
  lastSeenAt(executionId: string, stored: number): number {
    return this.#seenAtMs.get(executionId) ?? stored;
  }

  forget(executionId: string): void {
    this.#seenAtMs.delete(executionId);
  }
}
