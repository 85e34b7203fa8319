const MOST_NAMES = 512;
const OVERFLOW = 'other';

/** Plain event counts by name, for metrics and tests. Names come from closed sets; the bound is a safeguard. */
export class Counters {
  readonly #counts = new Map<string, number>();

  add(name: string): void {
    const known = this.#counts.has(name) || this.#counts.size < MOST_NAMES ? name : OVERFLOW;
    this.#counts.set(known, (this.#counts.get(known) ?? 0) + 1);
  }

  snapshot(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}
