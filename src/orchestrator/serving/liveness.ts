import type { Clock } from '../../lib/clock.ts';

/** When each committed execution was last on its provider's serving list. Kept in memory: a restart starts afresh. */
export class Liveness {
  readonly #clock: Clock;
  readonly #lastSeen = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  seen(executionId: string): void {
    this.#lastSeen.set(executionId, this.#clock.nowMs());
  }

  /** The newer of what is on disk and what was heard since. */
  lastSeenAt(executionId: string, stored: number): number {
    return Math.max(this.#lastSeen.get(executionId) ?? 0, stored);
  }

  forget(executionId: string): void {
    this.#lastSeen.delete(executionId);
  }
}
