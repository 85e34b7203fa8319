import type { Clock } from '../../lib/clock.ts';

/** When each requester that is served here was last heard, on the clock that does not jump. Kept in memory alone. */
export class Hearing {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #atMs = new Map<string, number>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  heard(requester: string): void {
    this.#atMs.set(requester, this.#clock.monotonicMs());
  }

  /** One that nothing is known of counts as heard now, and from now on. */
  atMs(requester: string): number {
    const known = this.#atMs.get(requester);
    if (known !== undefined) return known;
    const nowMs = this.#clock.monotonicMs();
    this.#atMs.set(requester, nowMs);
    return nowMs;
  }

  /** Of all others nothing is kept. */
  keepOnly(requesters: ReadonlySet<string>): void {
    for (const peer of this.#atMs.keys()) if (!requesters.has(peer)) this.#atMs.delete(peer);
  }
}
