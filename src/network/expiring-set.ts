import type { Clock } from '../lib/clock.ts';

/** Keys that are remembered for a time, the oldest forgotten first when there are too many. */
export class ExpiringSet {
  readonly #clock: Clock;
  readonly #ttlMs: number;
  readonly #capacity: number;
  /** In order of adding, so the first is always the first to go. */
  readonly #addedAt = new Map<string, number>();

  constructor(clock: Clock, ttlMs: number, capacity: number) {
    this.#clock = clock;
    this.#ttlMs = ttlMs;
    this.#capacity = capacity;
  }

  has(key: string): boolean {
    const addedAt = this.#addedAt.get(key);
    return addedAt !== undefined && this.#clock.monotonicMs() - addedAt < this.#ttlMs;
  }

  /** False when the key is remembered already; its time is not renewed then. */
  add(key: string): boolean {
    if (this.has(key)) return false;
    this.#addedAt.delete(key);
    this.#addedAt.set(key, this.#clock.monotonicMs());
    this.#forget();
    return true;
  }

  #forget(): void {
    const oldest = this.#clock.monotonicMs() - this.#ttlMs;
    for (const [key, addedAt] of this.#addedAt) {
      if (this.#addedAt.size <= this.#capacity && addedAt > oldest) return;
      this.#addedAt.delete(key);
    }
  }
}
