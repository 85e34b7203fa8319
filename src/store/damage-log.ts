import type { Logger } from '../lib/logger.ts';

/** Something of the store that could not be read. */
export interface StoreDamage {
  /** A record by its bucket and key, or a file. */
  readonly where: string;
  /** What is wrong with it, and what was done, as a sentence. */
  readonly message: string;
  /** Records that were in it, as far as their names could be read. */
  readonly lost?: readonly string[];
}

/** What of it is told to whoever asks; the log has had all of it. */
export interface DamageReport {
  readonly count: number;
  readonly first: readonly StoreDamage[];
}

/** Everything is said in the log once, and the first of it is kept to be shown. */
const MOST_SHOWN = 64;
const MOST_REMEMBERED = 10_000;

/** What is damaged in a store, since it was opened. */
export class DamageLog {
  readonly #logger: Logger;
  readonly #seen = new Set<string>();
  readonly #first: StoreDamage[] = [];
  #count = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  note(damage: StoreDamage): void {
    if (this.#seen.has(damage.where)) return;
    if (this.#seen.size < MOST_REMEMBERED) this.#seen.add(damage.where);
    this.#count += 1;
    if (this.#first.length < MOST_SHOWN) this.#first.push(damage);
    const { where, message, lost } = damage;
    this.#logger.error('the store is damaged', { where, message, ...(lost === undefined ? {} : { lost }) });
  }

  report(): DamageReport {
    return { count: this.#count, first: [...this.#first] };
  }
}
